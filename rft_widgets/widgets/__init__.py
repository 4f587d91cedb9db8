"""Views of a dataset in a notebook or a page: each reads the store and calls the dataset."""
