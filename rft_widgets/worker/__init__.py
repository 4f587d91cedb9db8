"""The work that jobs do, and the process that does it when no page is open."""
