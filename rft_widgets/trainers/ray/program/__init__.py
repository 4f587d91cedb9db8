"""What runs on the nodes of a cluster, beside the program of the trainer ``trl``."""
