"""What the pipeline does: each step takes its inputs and returns a value; none knows of jobs."""
