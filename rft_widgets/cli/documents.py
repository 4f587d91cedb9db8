"""Files that people write: JSON, YAML, and graders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import yaml

from rft_widgets.errors import InvalidArgument
from rft_widgets.files import read_whole

_MAX_BYTES = 1_000_000


def read_document(path: Path) -> Any:
    """Read the value of a JSON or YAML file; a YAML file is told by its name."""
    text = read_text(path)
    try:
        if path.suffix.lower() in (".yaml", ".yml"):
            return yaml.safe_load(text)
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, yaml.YAMLError, RecursionError, ValueError) as error:
        words = " ".join(str(error).split())
        raise InvalidArgument(f"{path} cannot be read: {words}.") from None


def read_grader(path: Path) -> Any:
    """Read a grader in a form that `set_grader` takes; a ``.py`` file is a script grader."""
    if path.suffix.lower() == ".py":
        return {"type": "python", "name": path.stem, "source": read_text(path)}
    value = read_document(path)
    if not isinstance(value, (dict, list)):
        raise InvalidArgument(
            f"{path} holds no grader.", hint="It is a JSON or YAML object with a type, or a script."
        )
    return value


def read_text(path: Path) -> str:
    """Read a small text file."""
    if path.is_dir():
        raise InvalidArgument(f"{path} is a folder.", hint="Name a file in it.")
    try:
        data = read_whole(path, _MAX_BYTES)
    except PermissionError:
        raise InvalidArgument(f"{path} may not be read.", hint="Check its permissions.") from None
    if data is None:
        raise InvalidArgument(f"{path} has more than {_MAX_BYTES:,} bytes.", hint="Is it the one?")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise InvalidArgument(f"{path} is not UTF-8 text.") from None
