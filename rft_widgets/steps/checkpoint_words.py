"""What a comparison of checkpoints says in words; it chooses nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rft_widgets.model.checkpoint_settings import CheckpointSettings
from rft_widgets.model.checkpoints import REFERENCE, CheckpointComparison
from rft_widgets.statistics import JointDifference

Between = Callable[[int, int], JointDifference | None]
"""The difference from one step to another."""


def recommendation(found: CheckpointComparison, between: Between) -> tuple[str, int | None]:
    """What follows, and the checkpoint that is clearly better than the one that is served."""
    best, served = found.best_step, found.served_step
    if best is None:
        return "No checkpoint has an answer that could be graded.", None
    compared = [one.step for one in found.checkpoints]
    if served not in compared:
        return f"Step {served}, which is served, is not among those compared.", None
    gain = between(served, best)
    if gain is not None and gain.verdict == "improved":
        return (
            f"{_capital(_step(best))} is clearly better than {_step(served)}, which is served: "
            f"{_difference(gain)}.",
            best,
        )
    if served == REFERENCE:
        return (
            "No checkpoint is clearly better than the model from before, which is served.",
            None,
        )
    worth = between(REFERENCE, served)
    if worth is not None and worth.verdict == "regressed":
        return (
            f"{_capital(_step(served))}, which is served, is clearly worse than the model from "
            f"before: {_difference(worth)}.",
            None,
        )
    own = "the last one" if served == found.last_step else _step(served)
    clear = [
        (one, other)
        for one in compared
        for other in compared
        if REFERENCE < one < other and _is_clear(between(one, other))
    ]
    if clear:
        words = f"No checkpoint is clearly better than {own}, which is served"
    else:
        words = f"No checkpoint is clearly better than another: {own} is served"
    if worth is None:
        return f"{words}; the model from before has no answer to compare with.", None
    if worth.verdict != "improved":
        return f"{words}, and it is not clearly better than the model from before.", None
    return (
        f"{words}, and it is clearly better than the model from before: {_difference(worth)}.",
        None,
    )


def notes(found: CheckpointComparison, settings: CheckpointSettings) -> tuple[str, ...]:
    """What else is worth knowing."""
    said = []
    count = len(found.checkpoints)
    said.append(
        f"{count * (count - 1) // 2:,} differences are judged together: with a chance of "
        f"{found.level:.0%} all their intervals hold."
    )
    if found.prompts < settings.few_prompts:
        said.append(f"Only {found.prompts} validation prompts: small differences cannot be seen.")
    if found.suggested_step:
        said.append(
            "Whoever chooses a checkpoint by these prompts has used them up: the reward of the "
            "chosen one is flattered a little. Measure it on new traffic."
        )
    if found.left_out:
        steps = ", ".join(map(str, found.left_out))
        said.append(f"Not compared, to keep to {settings.most} at a time: steps {steps}.")
    said += _flagged(found)
    unscored = sum(one.failed_gradings for one in found.checkpoints)
    if unscored:
        said.append(f"{unscored:,} answers could not be graded; they are in no comparison.")
    return tuple(said)


def _flagged(found: CheckpointComparison) -> Iterator[str]:
    """What the answers of checkpoints look like, told of the one where it is strongest."""
    by_name: dict[str, list[tuple[float, int, str]]] = {}
    for one in found.checkpoints:
        for probe in one.probes:
            if probe.flagged:
                place = (probe.value or 0.0, one.step, probe.sentence)
                by_name.setdefault(probe.name, []).append(place)
    for some in by_name.values():
        _, step, sentence = max(some)
        others = [str(other) for _, other, _ in some if other != step]
        more = f" So it is, in part, with steps {', '.join(others)}." if others else ""
        yield f"Step {step}: {sentence}{more}"


def _is_clear(one: JointDifference | None) -> bool:
    return one is not None and one.verdict != "no_clear_change"


def _step(step: int) -> str:
    return "the model from before" if step == REFERENCE else f"step {step}"


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]


def _difference(one: JointDifference) -> str:
    found = one.difference
    span = "" if found.low is None else f" [{found.low:+.2f}, {found.high:+.2f}]"
    return f"{found.estimate:+.2f}{span} on {found.n:,} prompts"
