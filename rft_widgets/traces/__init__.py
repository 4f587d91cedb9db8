"""Readers of gateway and observability traces; one module a format."""
