"""What the table of records shows and takes beside its rows."""
