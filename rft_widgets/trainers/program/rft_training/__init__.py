"""What `train.py` is made of, beside TRL: it needs nothing of the package that wrote it."""
