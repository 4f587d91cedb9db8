"""What records hold that graders can be written with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from rft_widgets.model.grader_check import GraderFields, ItemField
from rft_widgets.model.record import Record

_EXAMPLE_CHARS = 60


def fields_of(records: Iterable[Record]) -> GraderFields:
    """Look at records: their item fields, and which fields could be people's labels."""
    looked_at = 0
    counts: dict[str, int] = {}
    examples: dict[str, str] = {}
    may_label: dict[str, bool] = {}
    for record in records:
        looked_at += 1
        for name, value in record.item.items():
            counts[name] = counts.get(name, 0) + 1
            if name not in examples and value is not None:
                examples[name] = _example(value)
        _look_for_labels(record.item, "", may_label)
        _look_for_labels(record.metadata, "metadata.", may_label)
    return GraderFields(
        records=looked_at,
        item=tuple(
            ItemField(name=name, records=counts[name], example=examples.get(name, "null"))
            for name in sorted(counts, key=lambda name: (-counts[name], name))
        ),
        labels=tuple(sorted(name for name, may in may_label.items() if may)),
    )


def _look_for_labels(values: Mapping[str, Any], prefix: str, may_label: dict[str, bool]) -> None:
    for name, value in values.items():
        if value is not None:
            is_label = isinstance(value, (bool, int, float)) and 0 <= value <= 1
            may_label[prefix + name] = may_label.get(prefix + name, True) and is_label


def _example(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    line = " ".join(text[: 4 * _EXAMPLE_CHARS].split())
    return line if len(line) <= _EXAMPLE_CHARS else line[: _EXAMPLE_CHARS - 1] + "…"
