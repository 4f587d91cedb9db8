"""Several judges, or one several times, as one grader: a combination like any other."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Literal, get_args

from msgspec import structs

from rft_widgets.errors import InvalidArgument
from rft_widgets.graders.checking import check_grader
from rft_widgets.graders.formula import FUNCTIONS
from rft_widgets.graders.simple_form import from_config
from rft_widgets.model.grader import (
    JUDGE,
    Grader,
    LabelModel,
    Multi,
    ScoreModel,
    SingleGrader,
    grader_from_json,
    reward_range,
)

Combine = Literal["mean", "median"]
"""How a panel makes one score of those of its judges."""

Judge = ScoreModel | LabelModel

_MOST_BY_MEDIAN = 7
"""Its formula names every half of the panel: more judges would not fit in one."""


def panel(
    judge: Grader | Mapping[str, Any] | Sequence[Judge | Mapping[str, Any]],
    models: Sequence[str] = (),
    *,
    repeats: int = 1,
    combine: Combine = "mean",
    name: str = "panel",
) -> Multi:
    """Make one grader of several judges.

    It is a combination in the public JSON form: hosted services take it too. A panel has a score
    where each of its judges has one.

    Parameters
    ----------
    judge
        A judge or several, or their JSON in any form; their scores are brought to 0..1 first. Of a
        combination, each part that is a judge becomes a panel, within its formula.
    models
        Models that each judge is asked of; by default its own.
    repeats
        Times that each is asked, every time anew: how much a score jitters is averaged away.
    combine
        ``mean``, or ``median`` (of seven at most), which one stray judge does not move.
    name
        Name of the panel.

    Raises
    ------
    GraderInvalid
        One of them cannot be used as it is written.
    InvalidArgument
        There are none, or too many; or one of them is no judge.
    """
    if combine not in get_args(Combine):
        raise InvalidArgument(
            f"There is no way to combine {combine!r}.", hint="Use mean or median."
        )
    if not 1 <= repeats <= JUDGE.most_repeats:
        raise InvalidArgument(f"A panel asks each judge 1 to {JUDGE.most_repeats} times.")
    given = list(judge) if isinstance(judge, Sequence) else [judge]
    read = [_read(one) for one in given]
    seats = _Seats(models, repeats, combine)
    if len(read) == 1 and isinstance(read[0], Multi):
        made = _within(read[0], seats)
    else:
        judges = [_judge(one) for one in read]
        named = seats.fill([("", one) for one in judges], {})
        terms = [_scaled(key, one) for key, one in named.items()]
        made = Multi(name=name, graders=dict(named), calculate_output=seats.formula(terms))
    check_grader(made)
    return made


def _within(grader: Multi, seats: _Seats) -> Multi:
    """A combination whose judges have become panels; what else it holds stays."""
    parts: dict[str, SingleGrader] = {}
    formula = grader.calculate_output
    taken = dict.fromkeys(grader.graders)
    for key, part in grader.graders.items():
        if not isinstance(part, (ScoreModel, LabelModel)):
            parts[key] = part
            continue
        named = seats.fill([(key, part)], taken)
        taken |= dict.fromkeys(named)
        parts |= named
        panel_of = f"({seats.formula(list(named))})"
        formula = re.sub(rf"\b{key}\b", panel_of, formula, flags=re.ASCII)
    if not any(isinstance(part, (ScoreModel, LabelModel)) for part in parts.values()):
        raise InvalidArgument("The combination holds no judge.", hint="Panels are made of judges.")
    return structs.replace(grader, graders=parts, calculate_output=formula)


class _Seats:
    """Who sits in a panel, and what is made of their scores."""

    def __init__(self, models: Sequence[str], repeats: int, combine: Combine) -> None:
        self.models = models
        self._repeats = repeats
        self._combine = combine

    def fill(
        self, judges: Sequence[tuple[str, Judge]], taken: Mapping[str, object]
    ) -> dict[str, Judge]:
        """Every judge of the panel by a name of its own, from those it is made of."""
        named: dict[str, Judge] = {}
        for prefix, one in judges:
            for model in self.models or (one.model,):
                for _ in range(self._repeats):
                    own = _identifier(f"{prefix}_{_last(model)}" if prefix else _last(model))
                    key = _free(own, {**taken, **named})
                    named[key] = structs.replace(one, name=key, model=model)
        if not named:
            raise InvalidArgument("A panel needs a judge.")
        if self._combine == "median" and len(named) > _MOST_BY_MEDIAN:
            raise InvalidArgument(
                f"The median is of {_MOST_BY_MEDIAN} at most, not of {len(named)}.",
                hint="Combine them by their mean.",
            )
        return named

    def formula(self, terms: Sequence[str]) -> str:
        """What is made of the scores of those terms."""
        return _FORMULAS[self._combine](terms)


def _read(given: Grader | Mapping[str, Any]) -> Grader:
    if isinstance(given, Mapping):
        return from_config(given) if given.get("type") == "llm-judge" else grader_from_json(given)
    return given


def _judge(read: Grader) -> Judge:
    if not isinstance(read, (ScoreModel, LabelModel)):
        raise InvalidArgument(
            "A panel is made of judges.", hint="Pass graders of type score_model or label_model."
        )
    return read


def _scaled(name: str, judge: Judge) -> str:
    low, high = reward_range(judge) or (0.0, 1.0)
    if (low, high) == (0.0, 1.0):
        return name
    return f"{name} / {high!r}" if low == 0 else f"({name} - {low!r}) / {high - low!r}"


def _mean(terms: Sequence[str]) -> str:
    return terms[0] if len(terms) == 1 else f"({' + '.join(terms)}) / {len(terms)}"


def _median(terms: Sequence[str]) -> str:
    """The middle one, or the mean of the middle two, by what formulas have: min and max."""
    n = len(terms)
    middle = _at_most(terms, n // 2 + 1)
    return middle if n % 2 else f"({middle} + {_at_most(terms, n // 2)}) / 2"


def _at_most(terms: Sequence[str], rank: int) -> str:
    """The term that ``rank`` terms reach: the best of the worst of so many."""
    worst = [f"min({', '.join(some)})" for some in combinations(terms, rank)]
    if rank == 1:
        worst = list(terms)
    return worst[0] if len(worst) == 1 else f"max({', '.join(worst)})"


_FORMULAS = {"mean": _mean, "median": _median}


def _last(model: str) -> str:
    return model.rpartition("/")[2]


def _identifier(text: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_") or "judge"
    return f"judge_{plain}" if plain[0].isdigit() or plain in FUNCTIONS else plain


def _free(wanted: str, taken: Mapping[str, object]) -> str:
    names = (wanted, *(f"{wanted}_{count}" for count in range(2, len(taken) + 2)))
    return next(name for name in names if name not in taken)
