"""Serving a tuned model beside its base model, over the OpenAI chat protocol."""
