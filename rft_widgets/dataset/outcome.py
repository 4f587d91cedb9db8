"""What the arms of a deployment are worth, by the answers that were kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rft_widgets.dataset.routing import prompt_of
from rft_widgets.errors import InvalidArgument, RunInterrupted
from rft_widgets.graders.rewards import normalized_reward
from rft_widgets.graders.sample import Sample, item_of, sample_of
from rft_widgets.model.deployed import BASE, TUNED, ArmOutcome, DeploymentOutcome
from rft_widgets.model.deployment import ServedExchange
from rft_widgets.model.estimate import micro_usd
from rft_widgets.model.message import message_from_json
from rft_widgets.statistics import IndependentDifference, bootstrap_mean, independent_difference
from rft_widgets.steps.grade import open_version
from rft_widgets.steps.progress import Progress
from rft_widgets.store import graders, records
from rft_widgets.store.connection import Store
from rft_widgets.store.payload import input_hash


def measure(
    store: Store,
    dataset_id: str,
    exchanges: Iterable[ServedExchange],
    *,
    n: int,
    seed: int,
    max_cost_usd: float | None,
    progress: Progress | None,
    cancelled: Callable[[], bool],
) -> DeploymentOutcome:
    """Grade the newest answers of both arms; see `Deployment.outcome`."""
    kept: dict[str, list[ServedExchange]] = {TUNED: [], BASE: []}
    for one in exchanges:
        if one.outcome == "completed" and one.answer is not None and one.arm in kept:
            kept[one.arm].append(one)
    rewards: dict[str, list[float]] = {}
    units: dict[str, list[str]] = {}
    arms = {}
    newest = {arm: found[-n:] for arm, found in kept.items()}
    total, done = sum(map(len, newest.values())), 0

    def graded_one() -> None:
        nonlocal done
        done += 1
        if cancelled():
            raise RunInterrupted("The measurement was stopped.", hint="Begin it again.")
        if progress is not None:
            progress(done / total, f"{done:,} of {total:,} answers")

    graded_arms = _rewards(
        store, dataset_id, newest, graded_one, cancelled, micro_usd(max_cost_usd)
    )
    for arm, graded in graded_arms.items():
        scored = [(one, reward) for one, reward in graded if reward is not None]
        rewards[arm] = [reward for _, reward in scored]
        units[arm] = [one.assignment for one, _ in scored]
        arms[arm] = ArmOutcome(
            arm=arm,
            reward=bootstrap_mean(rewards[arm], units[arm], seed=seed) if scored else None,
            graded=len(scored),
            failed_gradings=len(graded) - len(scored),
        )
    difference = None
    if rewards[TUNED] and rewards[BASE]:
        difference = independent_difference(
            rewards[BASE], rewards[TUNED], units[BASE], units[TUNED], seed=seed
        )
    return DeploymentOutcome(
        tuned=arms[TUNED],
        base=arms[BASE],
        difference=difference,
        sentence=_outcome_words(difference),
    )


def _rewards(
    store: Store,
    dataset_id: str,
    arms: Mapping[str, Sequence[ServedExchange]],
    graded_one: Callable[[], None],
    cancelled: Callable[[], bool],
    cap_micro_usd: int | None,
) -> dict[str, list[tuple[ServedExchange, float | None]]]:
    rewards: dict[str, list[tuple[ServedExchange, float | None]]] = {arm: [] for arm in arms}
    if not any(arms.values()):
        return rewards
    with store.read() as connection:
        version = graders.current(connection, dataset_id)
    if version is None:
        raise InvalidArgument("The dataset has no grader.", hint="Save one with set_grader().")
    with open_version(
        store, dataset_id, version, cap_micro_usd=cap_micro_usd, cancelled=cancelled
    ) as compiled:
        for arm, found in arms.items():
            pairs = [_pair(store, dataset_id, one) for one in found]
            for one, result in zip(found, compiled.grade_many(pairs), strict=True):
                rewards[arm].append((one, normalized_reward(compiled.grader, result)))
                graded_one()
    return rewards


def _pair(store: Store, dataset_id: str, one: ServedExchange) -> tuple[Sample, Mapping[str, Any]]:
    asked = prompt_of(one.messages, one.tools)
    answer = message_from_json(one.answer or {}, "answer")
    known = records.with_input(store, dataset_id, input_hash(asked))
    item: dict[str, Any] = {"messages": list(one.messages)}
    if known is not None:
        item = item_of(known)
    return sample_of(asked, [answer]), item


def _outcome_words(difference: IndependentDifference | None) -> str:
    if difference is None:
        return "Not both arms have answers that could be graded."
    change = difference.difference
    bounds = "" if change.low is None else f" [{change.low:+.2f}, {change.high:+.2f}]"
    words = {
        "improved": "The tuned arm earns more",
        "regressed": "The tuned arm earns less",
        "no_clear_change": "No clear difference between the arms",
    }[difference.verdict]
    return f"{words}: {change.estimate:+.2f}{bounds}."
