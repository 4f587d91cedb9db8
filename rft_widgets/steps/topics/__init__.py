"""Topics: finding, editing, exchanging them, and putting records under them.

`tree`, `exchange`, `templates` and `review` are plain; `features`, `auto` and `categorize` compute,
and are imported where they are used.
"""
