"""The files of a folder that grades by itself."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import msgspec

from rft_widgets.graders.compile.standalone import PACKAGE, standalone_files
from rft_widgets.graders.compile.target import Target
from rft_widgets.graders.compiled import asks_models, parts_of
from rft_widgets.model.connection import ConnectionSettings
from rft_widgets.model.grader import Grader, PythonGrader, grader_to_json

BASE_URL_VARIABLE = "RFT_JUDGE_BASE_URL"
"""Environment variable that says where judges are asked, before anything else."""

NEEDS = ("msgspec>=0.21", "rapidfuzz>=3.10")
"""Packages that a folder needs."""

_PLACE = ("connection", "model", "embedding_model", "concurrency")


def folder_files(
    grader: Grader,
    target: Target,
    name: str,
    entry: str,
    connections: Sequence[ConnectionSettings],
) -> dict[str, str]:
    """Every file, by its path."""
    asks = asks_models(grader)
    needs = (*NEEDS, *(["numpy>=1.26"] if _imports_numpy(grader) else []))
    places = [{key: getattr(one, key) for key in _PLACE} for one in connections] if asks else []
    return {
        entry: target.adapter.replace("NAME", name),
        "grader.json": json_text(grader_to_json(grader)),
        **({"judges.json": json_text(msgspec.to_builtins(places))} if asks else {}),
        "requirements.txt": "".join(f"{one}\n" for one in needs),
        "README.md": _readme(grader, target, entry, connections if asks else (), asks=asks),
        f"{PACKAGE}/__init__.py": _ROOT,
        **{f"{PACKAGE}/{path}": text for path, text in standalone_files().items()},
    }


def service_readme(target: Target) -> str:
    """README of a folder with no more than the JSON for a service."""
    return f"# A grader for {target.title}\n\n{target.usage}\n"


def json_text(value: object) -> str:
    """JSON for people and programs."""
    return f"{json.dumps(value, ensure_ascii=False, indent=2)}\n"


def _imports_numpy(grader: Grader) -> bool:
    return any(
        isinstance(part, PythonGrader) and re.search(r"\bnumpy\b", part.source)
        for part in parts_of(grader)
    )


_ROOT = f'''\
"""The grader of the folder around this package: a copy of the graders of rft-widgets.

`grade` and `grade_many` grade with it; `open_grader` opens that of another folder. Licence:
Apache-2.0, as rft-widgets itself.
"""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path

import msgspec

from {PACKAGE}.graders.compile.runtime import Graded, GraderAtWork
from {PACKAGE}.llm.direct import DirectModels, JudgePlace
from {PACKAGE}.model.grader import grader_from_json
from {PACKAGE}.model.llm import ModelConnection

__all__ = ["Graded", "GraderAtWork", "grade", "grade_many", "open_grader"]


def grade(answer, item):
    """Reward (0..1) of an answer: text, a message, or messages; None where grading failed."""
    return _own().grade(answer, item).reward


def grade_many(pairs):
    """Gradings of answers with their items, each with `reward`, `error` and `parts`."""
    return _own().grade_many(pairs)


def open_grader(folder) -> GraderAtWork:
    """The grader of a folder; it is made ready when it is first needed."""
    folder = Path(folder)
    grader = grader_from_json(json.loads((folder / "grader.json").read_text("utf-8")))
    places = _places(folder / "judges.json")
    if not places:
        return GraderAtWork(grader)
    models = DirectModels(places)
    return GraderAtWork(
        grader, model_call=models, embed=models.embed, concurrency=models.concurrency
    )


@functools.cache
def _own() -> GraderAtWork:
    return open_grader(Path(__file__).resolve().parents[1])


def _places(file: Path) -> list[JudgePlace]:
    """Where models are asked: as the folder says, unless the environment says otherwise."""
    if not file.exists():
        return []
    places = msgspec.json.decode(file.read_bytes(), type=list[JudgePlace])
    instead = os.environ.get("{BASE_URL_VARIABLE}")
    if not instead:
        return places
    places = places or [JudgePlace(connection=ModelConnection(base_url=instead))]
    return [
        msgspec.structs.replace(
            one, connection=msgspec.structs.replace(one.connection, base_url=instead)
        )
        for one in places
    ]
'''


def _readme(
    grader: Grader,
    target: Target,
    entry: str,
    connections: Sequence[ConnectionSettings],
    *,
    asks: bool,
) -> str:
    parts = [
        f"# A grader for {target.title}",
        f"`{entry}` is what {target.title} is pointed at, `grader.json` the grader, and "
        f"`{PACKAGE}/` a copy of\nthe graders of rft-widgets (Apache-2.0) that reads it. What it "
        "needs: `pip install -r requirements.txt`.",
        target.usage.format(entry=entry) if "{entry}" in target.usage else target.usage,
    ]
    if asks:
        parts.append(_judging(connections))
    if any(isinstance(part, PythonGrader) for part in parts_of(grader)):
        parts.append(_SCRIPTS)
    parts.append(_BY_HAND)
    return "\n\n".join(parts) + "\n"


def _judging(connections: Sequence[ConnectionSettings]) -> str:
    lines = [
        "## The models that judge",
        "They are asked over the OpenAI protocol, each request with a time limit and a bounded "
        "number of\nattempts. No key is in this folder: it is read from the environment when a "
        "model is asked.",
        f"- `{BASE_URL_VARIABLE}`: where they are asked, up to `/v1`"
        + (", instead of the address in `judges.json`." if connections else "."),
    ]
    keys = sorted({one.connection.api_key_env for one in connections} - {None}, key=str)
    if not connections:
        keys = ["OPENAI_API_KEY"]
    lines += [f"- `{key}`: the key." for key in keys]
    return "\n\n".join(lines[:2]) + "\n\n" + "\n".join(lines[2:])


_SCRIPTS = """\
## The script

It runs in a process of its own, with limits of time and memory. On Linux that process is confined
(no files, no network, no other program) by the kernel; where the system cannot do that, the grader
refuses to run, unless `RFT_WIDGETS_UNSAFE_GRADERS=1` is set: it then runs with those limits and no
confinement. Windows has no such process, and is not supported for scripts."""

_BY_HAND = """\
## By hand

    python -c 'from rft_grader import grade; print(grade("an answer", {"messages": []}))'"""
