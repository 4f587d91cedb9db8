"""The log of a dataset as a Python script that does it all again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rft_widgets.model.dataset import Event

Details = Mapping[str, Any]

_ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "update": ("name", "objective"),
    # Names that a model gave are given again; where it placed texts, it is asked again.
    "generate_topics": (
        "method",
        "template",
        "n_topics",
        "depth",
        "seed",
        "namer",
        "embeddings",
    ),
    "set_topics": ("hierarchy", "assignments"),
    "add_topic": ("parent", "name", "description", "keywords", "rest"),
    "rename_topic": ("path", "name"),
    "describe_topic": ("path", "description", "keywords"),
    "move_topic": ("path", "parent", "position", "rest"),
    "merge_topics": ("paths", "name", "rest"),
    "split_topic": ("path", "n_topics", "seed"),
    "delete_topic": ("path", "into"),
    "categorize": ("mode", "seed", "model", "instructions", "embeddings"),
    "confirm_topic": ("record_id", "topic"),
    "undo_confirm_topic": ("record_id",),
    "set_targets": ("targets",),
    "reset_pipeline": (),
}
"""Operations that are one call, and what of their details are its arguments; the rest came out."""

_NO_CALL = frozenset({"training_ended", "generate"})
"""Events that change nothing of the content: they tell how something went."""


def to_script(events: Sequence[Event], *, dataset_id: str, content_hash: str) -> str:
    """Write a script that repeats the operations of a log, in order.

    Parameters
    ----------
    events
        The log, oldest first; what was accepted of generated batches has the ``lines`` of the
        records in its details.
    dataset_id
        The dataset, for the heading.
    content_hash
        What the dataset holds now; the script checks that it comes to the same.

    Notes
    -----
    Files and traces are read again from where they were. Records that came from memory stand in the
    script while they are few; where they were many, or the dataset began as a copy of another, the
    script stops there and says what to put in.
    """
    steps = [_step(event) for event in events]
    body = "\n".join(f"    {line}" for step in steps for line in step)
    return _FRAME.format(
        dataset=dataset_id,
        first=_day(events[0].at) if events else "",
        last=_day(events[-1].at) if events else "",
        hash=content_hash,
        body=body or "    return ws.create('empty')",
    )


def script_hash(parts: Sequence[str]) -> str:
    """SHA-256 of several hashes, in hexadecimal."""
    return hashlib.sha256(":".join(parts).encode()).hexdigest()


_FRAME = '''\
"""What was done to dataset {dataset}, from {first} to {last}, to be done again.

Run it with the store to do it in: python this_script.py again.db
"""

import json
import sys
from datetime import datetime

import rft_widgets as rft

CONTENT_HASH = "{hash}"


def replay(ws):
    deletions, runs, jobs, deployments = {{}}, {{}}, {{}}, {{}}
{body}
    return ds


if __name__ == "__main__":
    with rft.Workspace(sys.argv[1] if len(sys.argv) > 1 else None) as workspace:
        dataset = replay(workspace)
        print(dataset.id, dataset.content_hash)
        if dataset.content_hash != CONTENT_HASH:
            sys.exit("The result differs from the original: an input has changed since.")
'''


def _step(event: Event) -> list[str]:
    head = f"# {event.at:%Y-%m-%d %H:%M:%S} UTC"
    if event.kind in _NO_CALL:
        return []
    if event.kind in _ARGUMENTS:
        given = {key: event.details[key] for key in _ARGUMENTS[event.kind] if key in event.details}
        return [head, _call(f"ds.{event.kind}", given)]
    special = _SPECIAL.get(event.kind)
    if special is None:
        return [head, _stop(f"this version cannot repeat the operation {event.kind!r}")]
    return [head, *special(event.details)]


def _create(details: Details) -> list[str]:
    given = {key: details[key] for key in ("name", "objective", "source") if key in details}
    return [_call("ds = ws.create", given)]


def _import(details: Details) -> list[str]:
    origin, mode = details.get("origin") or {}, details["mode"]
    count = f"  # {details['imported']:,} records"
    if "file" in origin:
        return [_call("ds.import_records", {"path": origin["file"], "mode": mode}) + count]
    if "traces" in origin:
        return [*_traces(origin), count.strip()]
    if "pulled" in origin:
        return ["ds.pull_traces()" + count]
    if "lines" in origin:
        lines = [f"    {line!r}," for line in origin["lines"]]
        return [
            "lines = [",
            *lines,
            "]",
            f"ds.add_records(map(json.loads, lines), mode={mode!r}){count}",
        ]
    return [_stop(f"{details['imported']:,} records came from memory ({details['source']})")]


def _accept(details: Details) -> list[str]:
    return [
        f"# Generated, and accepted from batch {details['batch']}.",
        "lines = [",
        *(f"    {line!r}," for line in details["lines"]),
        "]",
        "ds.add_records(map(json.loads, lines))",
    ]


def _traces(origin: Details) -> list[str]:
    opened = f"traces = rft.open_traces({origin['traces']!r})"
    lines = [opened]
    for given in origin["filters"]:
        shown = ", ".join(f"{key}={_filter_value(key, value)}" for key, value in given.items())
        lines.append(f"traces = traces.filter({shown})")
    if "ids" in origin:
        lines.append(f"traces = traces.select({origin['ids']!r})")
    options = {key: origin[key] for key in ("mode", "collapse_prefixes")}
    shown = ", ".join(f"{key}={value!r}" for key, value in options.items())
    return [*lines, f"ds.add_traces(traces, {shown})"]


def _filter_value(key: str, value: Any) -> str:
    moment = key in ("since", "until")
    return f"datetime.fromisoformat({value!r})" if moment else repr(value)


def _edit(details: Details) -> list[str]:
    return [_call("ds.edit_record", {"record": details["record"], **details["changes"]})]


def _assign(details: Details) -> list[str]:
    chosen = _selection(details["selection"])
    return [f"ds.assign_topic({chosen}, {details['topic']!r})"]


def _evaluate(details: Details) -> list[str]:
    return [f"ds.evaluate({_selection(details['selection'])})"]


def _delete(details: Details) -> list[str]:
    key, chosen = details["deletion"], _selection(details["selection"])
    return [f"deletions[{key!r}] = ds.delete_records({chosen})"]


def _undo(details: Details) -> list[str]:
    return [f"ds.undo_delete(deletions[{details['deletion']!r}])"]


def _set_grader(details: Details) -> list[str]:
    lines = [f"grader = {details['grader']!r}"]
    at = details.get("connection")
    if at:
        named = repr(tuple(at) if isinstance(at, list) else at)
        shown = _call("rft.ModelConnection", at) if isinstance(at, dict) else named
        lines.append(f"connection = {shown}")
        return [*lines, "ds.set_grader(grader, connection=connection)"]
    return [*lines, "ds.set_grader(grader)"]


def _dry_run(details: Details) -> list[str]:
    keys = ["n", "k", "seed", "probes"]
    if details.get("asked"):
        keys += ["model", "temperature", "max_tokens"]
    call = _call("ds.dry_run", {key: details[key] for key in keys if key in details})
    # Another store has another id for it, and selections may name it.
    return [call, f"runs[{details['run']!r}] = ds.dry_runs[-1].id"]


def _train(details: Details) -> list[str]:
    job = f"jobs[{details['job']!r}]"
    return [f"{job} = ds.train({details['config']!r}, despite_no_go=True)", f"{job}.wait()"]


def _deploy(details: Details) -> list[str]:
    keys = (
        "mode", "ratio", "model", "base_model", "upstream", "upstream_model", "keep_exchanges",
    )  # fmt: skip
    given = {key: details[key] for key in keys if details.get(key) is not None}
    shown = [f"{key}={value!r}" for key, value in given.items() if key != "upstream"]
    if "upstream" in given:
        shown.append(f"upstream={_call('rft.ModelConnection', given['upstream'])}")
    shown.append(f"job=jobs[{details['job']!r}]")
    call = f"ds.deploy({', '.join(shown)}, start=False)"
    return [f"deployments[{details['deployment']!r}] = {call}"]


def _roll_back(details: Details) -> list[str]:
    return [f"deployments[{details['deployment']!r}].roll_back()"]


def _duplicate(details: Details) -> list[str]:
    return [_stop(f"the dataset began as a copy of {details['of']}")]


_SPECIAL: Mapping[str, Callable[[Details], list[str]]] = {
    "create": _create,
    "import_records": _import,
    "edit_record": _edit,
    "accept_candidates": _accept,
    "assign_topic": _assign,
    "evaluate": _evaluate,
    "delete_records": _delete,
    "undo_delete": _undo,
    "set_grader": _set_grader,
    "dry_run": _dry_run,
    "train": _train,
    "deploy": _deploy,
    "roll_back": _roll_back,
    "duplicate": _duplicate,
}


def _call(name: str, given: Mapping[str, Any]) -> str:
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in given.items())})"


def _stop(why: str) -> str:
    text = f"{why}; put them in here and go on"
    return f"raise SystemExit({text!r})"


def _selection(value: Details) -> str:
    parts = []
    if "where" in value and value["where"] is not None:
        shown = [
            f"dry_run=runs[{one!r}]" if key == "dry_run" else f"{key}={one!r}"
            for key, one in value["where"].items()
        ]
        parts.append(f"where=rft.RecordFilter({', '.join(shown)})")
    lists = ("ids", "except_ids", "also_ids")
    parts += [f"{key}={tuple(value[key])!r}" for key in lists if value.get(key)]
    return f"rft.Selection({', '.join(parts)})"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
