"""A server that stands in for a model, to try and test what asks one. It is no model."""
