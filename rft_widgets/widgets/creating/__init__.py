"""What the page that creates a dataset works with: traces that it reads, a file that it gets."""
