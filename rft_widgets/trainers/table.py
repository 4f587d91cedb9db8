"""The page of all trainers, made from what they say of themselves.

``python -m rft_widgets.trainers.table`` writes it. A test fails while it differs from what this
module makes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rft_widgets.model.training_plan import (
    HyperparameterField,
    TrainerInfo,
)
from rft_widgets.trainers import available
from rft_widgets.trainers.graders import EVERY_GRADER

TARGET = Path(__file__).parents[2] / "docs" / "trainers.md"

_HEAD = """\
# Trainers

Every way to train, and what each supports. `rft-widgets trainers` lists them with what is missing
on your machine; `rft_widgets.trainers.available()` gives the same as values.

<!-- Written by `python -m rft_widgets.trainers.table`; edit the trainers instead. -->
"""

_MEANING = """\
- **grades**: where the grader runs in training. *Here* every grader will do, judges with their
  ledger and scripts in their sandbox; *at the service* it has to be one that the service takes.
- **pauses**: a run can be paused and resumed. **goes on after a kill**: the process here, or the
  machine, may be killed.
- **rollouts**: answers that it learned from can be read, with their rewards.
- **checkpoints**: the model after several of the steps can be asked, and
  [compared](checkpoints.md).
- **measured**: the result is measured here, on the validation split with your grader, when the run
  ends. Else it is once it is deployed.
- **tools**: the tools of a prompt are on offer to the model.
"""


def generate() -> str:
    """The page as Markdown."""
    infos = available()
    parts = [_HEAD, _supports(infos), _MEANING, *(part for one in infos for part in _trainer(one))]
    return "\n".join(parts)


def _supports(infos: Sequence[TrainerInfo]) -> str:
    rows = []
    for info in infos:
        can = info.capabilities
        flags = (
            can.pauses, can.survives_restart, can.rollouts, can.checkpoints, can.measures,
            can.tools,
        )  # fmt: skip
        where = "here" if can.grader_runs == "here" else "at the service"
        rows.append((f"[`{info.name}`](#{_anchor(info)})", where, *map(_yes, flags), can.serving))
    head = (
        "trainer", "grades", "pauses", "goes on after a kill", "rollouts", "checkpoints",
        "measured", "tools", "served",
    )  # fmt: skip
    return _table(head, rows)


def _trainer(info: TrainerInfo) -> Iterator[str]:
    yield f"## {_title(info)}\n"
    yield f"{info.description}\n"
    yield f"- Needs: {info.needs}"
    models = ", ".join(f"`{name}`" for name in info.base_models)
    yield f"- Base model: {info.base_model}" + (f" Known: {models}." if models else "")
    graders = info.capabilities.graders
    names = "all" if set(graders) == set(EVERY_GRADER) else ", ".join(f"`{one}`" for one in graders)
    yield f"- Graders: {names}\n"
    if info.hyperparameters:
        rows = (
            (f"`{one.name}`", _default(one), _takes(one), one.description)
            for one in info.hyperparameters
        )
        yield _table(("hyperparameter", "default", "takes", ""), rows)
    if info.settings:
        wanted = {True: "yes", False: "no"}
        others = (
            (f"`{one.name}`", wanted[one.is_required], one.description) for one in info.settings
        )
        yield _table(("setting", "needed", ""), others)


def _title(info: TrainerInfo) -> str:
    return f"`{info.name}`: {info.title}"


def _anchor(info: TrainerInfo) -> str:
    """What a heading is called in a link, as GitHub makes it."""
    kept = (one for one in _title(info).casefold() if one.isalnum() or one in " -_")
    return "".join(kept).replace(" ", "-")


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _default(field: HyperparameterField) -> str:
    return "left to the trainer" if field.default is None else f"`{field.default}`"


def _takes(field: HyperparameterField) -> str:
    if field.choices:
        return ", ".join(f"`{one}`" for one in field.choices)
    return f"{_plain(field.low)} to {_plain(field.high)}"


def _plain(bound: float | None) -> str:
    assert bound is not None  # noqa: S101 - a number has both bounds
    return f"{bound:,.0f}" if bound == int(bound) else f"{bound:g}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    TARGET.write_text(generate(), encoding="utf-8")
    sys.stdout.write(f"{TARGET}\n")
