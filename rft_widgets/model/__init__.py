"""Typed, immutable values: the vocabulary of every other layer. No I/O here."""
