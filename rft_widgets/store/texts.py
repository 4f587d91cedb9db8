"""What a text must be for every database to hold it."""

from __future__ import annotations


def can_hold(text: str) -> bool:
    """Whether a text has neither U+0000 nor half of a surrogate pair.

    No stored name or text has them, so whoever asks for such a one gets nothing, and no error of
    a database driver.
    """
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
