"""Graders for wherever models are trained: `write_grader` writes a folder that grades by itself.

What runs there is a copy of what runs here (`rft_widgets.graders.compile.standalone`), with one
small file around it for each framework or service.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.graders.checking import check_grader
from rft_widgets.graders.compile import bedrock, eval_protocol, openrlhf, trl, verl
from rft_widgets.graders.compile.folder import folder_files, json_text, service_readme
from rft_widgets.graders.compile.hosted import AZURE, OPENAI, ServiceForm, service_form
from rft_widgets.graders.compile.target import Target
from rft_widgets.model.connection import ConnectionSettings
from rft_widgets.model.grader import Grader

TARGETS: Mapping[str, Target] = {
    target.name: target
    for target in (
        OPENAI,
        AZURE,
        bedrock.TARGET,
        eval_protocol.TARGET,
        trl.TARGET,
        verl.TARGET,
        openrlhf.TARGET,
    )
}
"""What a grader is compiled to, by name."""


class CompiledFiles(Struct, frozen=True, kw_only=True):
    """A folder with a grader in it.

    Attributes
    ----------
    entry
        The file that the framework or service is pointed at.
    files
        All files, by their paths in the folder.
    warnings
        What the target does not take, or does otherwise than here, in words.
    """

    target: str
    folder: Path
    entry: Path
    files: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def write_grader(
    grader: Grader,
    folder: str | Path,
    *,
    target: str,
    name: str = "grader",
    connections: Sequence[ConnectionSettings] = (),
    notes: Sequence[str] = (),
) -> CompiledFiles:
    """Write a grader so that a framework or service grades with it, without this package.

    Parameters
    ----------
    grader
        The grader.
    folder
        Where to; made if it is not there. Files of an earlier compilation are exchanged, others
        stay.
    target
        A name of `TARGETS`.
    name
        What the grader is called where that matters.
    connections
        Where its models are asked. Addresses and the names of key variables go into the folder,
        keys never. Without any, ``RFT_JUDGE_BASE_URL`` says where, when the grader runs.
    notes
        What else is to be known; it becomes a part of ``warnings`` and of the README.

    Raises
    ------
    InvalidArgument
        There is no such target.
    GraderInvalid
        The grader cannot be used as it is written.
    """
    chosen = target_of(target)
    check_grader(grader)
    plain = python_name(name)
    entry = chosen.entry.format(name=plain)
    warnings = tuple(dict.fromkeys(notes))
    if chosen.runs_here:
        files = folder_files(grader, chosen, plain, entry, connections)
    else:
        form = service_form(grader, chosen, plain)
        warnings = (*form.warnings, *warnings)
        files = {entry: json_text(form.value), "README.md": service_readme(chosen)}
    if warnings:
        files["README.md"] += "\n## To be known\n\n" + "".join(f"- {one}\n" for one in warnings)
    folder = Path(folder)
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return CompiledFiles(
        target=chosen.name,
        folder=folder,
        entry=folder / entry,
        files=tuple(files),
        warnings=warnings,
    )


def python_name(name: str) -> str:
    """A name, of letters and digits that Python takes within one."""
    return re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower() or "grader"


def target_of(name: str) -> Target:
    """The target of a name.

    Raises
    ------
    InvalidArgument
        There is none.
    """
    if name not in TARGETS:
        raise InvalidArgument(
            f"A grader cannot be compiled for {name!r}.", hint=f"Use one of {', '.join(TARGETS)}."
        )
    return TARGETS[name]


__all__ = [
    "TARGETS",
    "CompiledFiles",
    "ServiceForm",
    "Target",
    "python_name",
    "service_form",
    "target_of",
    "write_grader",
]
