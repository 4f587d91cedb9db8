"""A separate interpreter, confined by the kernel, in which the code of script graders runs."""
