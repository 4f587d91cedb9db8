"""Connections to language models."""
