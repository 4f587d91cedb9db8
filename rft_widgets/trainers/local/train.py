"""One training run from records to a policy, which may end anywhere and go on."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Sequence

import msgspec
import numpy as np
from msgspec import Struct

from rft_widgets.errors import InvalidArgument, TrainingStopped
from rft_widgets.model.record import Record
from rft_widgets.model.training import (
    Checkpoint,
    CurvePoint,
    TrainingConfig,
    TrainingPhase,
    TrainingProgress,
)
from rft_widgets.steps.split import hold_out, record_groups
from rft_widgets.trainers.base import Rewarder, TrainingData, TrainingOutcome, TrainingRun
from rft_widgets.trainers.local.artifact import FORMAT, Artifact, dump_policy
from rft_widgets.trainers.local.evaluate import (
    Measured,
    Part,
    Prompt,
    choose_checkpoint,
    make_report,
)
from rft_widgets.trainers.local.grpo import (
    Adam,
    Groups,
    Integers,
    Surrogate,
    advantages,
    climb,
    log_policy,
    surrogate,
)
from rft_widgets.trainers.local.policy import fit_scaling, reference_weights
from rft_widgets.trainers.local.pool import Floats, Pool, pool_entries
from rft_widgets.trainers.local.retrieve import FEATURES, find_candidates
from rft_widgets.trainers.local.rewards import Rewards
from rft_widgets.trainers.local.settings import local_hyperparameters

_SAVE_EVERY_S = 1.0
_ORDER, _SAMPLING = 1, 2
"""What chance decides: together with the seed and the step it gives the numbers drawn, so that no
state of a generator has to be kept."""


def train(
    data: TrainingData, config: TrainingConfig, rewarder: Rewarder, run: TrainingRun
) -> TrainingOutcome:
    """Train a retrieval policy on the rewards of a grader.

    Parameters
    ----------
    data
        Records to learn from, whose answers the policy chooses from, and records to measure on.
    config
        Seed and hyperparameters; what concerns the split has been used before.
    rewarder
        Gives rewards; asked for each prompt and answer at most once.
    run
        Hears how it goes, keeps the state, and may stop it. A run that starts with a saved state
        ends as if it had never stopped.

    Raises
    ------
    InvalidArgument
        A hyperparameter is not right, no record has an answer to choose from, or the saved state is
        of another run.
    TrainingStopped
        It was asked to pause or to be cancelled; the state is saved.
    """
    return _Trainer(data, config, rewarder, run).train()


class _State(Struct, frozen=True, kw_only=True):
    """What a run goes on from. ``step`` is the last one that is complete."""

    fingerprint: bytes
    step: int
    weights: tuple[float, ...]
    moments: tuple[int, tuple[float, ...], tuple[float, ...]]
    curve: tuple[CurvePoint, ...]
    checkpoints: tuple[Checkpoint, ...]
    rewards: dict[int, float | None]


class _Trainer:
    """A run while it runs."""

    def __init__(
        self, data: TrainingData, config: TrainingConfig, rewarder: Rewarder, run: TrainingRun
    ) -> None:
        self.settings = local_hyperparameters(config)
        if config.seed < 0:
            raise InvalidArgument(f"The seed is {config.seed}; it must not be negative.")
        self.seed = config.seed
        self.data = data
        self.run = run
        self.entries = pool_entries(data.train, self.settings.max_pool, config.seed)
        if not self.entries:
            raise InvalidArgument(
                "No record to learn from has an answer, and the trainer 'local' can only give "
                "answers that were given before.",
                hint="Import records with answers, or train a language model instead.",
            )
        self.fingerprint = _fingerprint(data, config)
        zeros = (0.0,) * len(FEATURES)
        self.state = self._load() or _State(
            fingerprint=self.fingerprint, step=-1, weights=zeros, moments=(0, zeros, zeros),
            curve=(), checkpoints=(), rewards={},
        )  # fmt: skip
        self.weights: Floats = np.array(self.state.weights)
        count, first, second = self.state.moments
        self.adam = Adam(count, np.array(first), np.array(second))
        self.asked = Rewards(rewarder, self.state.rewards, self._between)
        self.saved_at = time.monotonic()
        self.phase: TrainingPhase = "preparing"
        self.steps = 0
        self.batches = 1

    def train(self) -> TrainingOutcome:
        self._report("Comparing prompts")
        groups = record_groups([*self.data.train, *self.data.valid])
        pool = Pool(self.entries)
        self._between()
        self.phase = "grading"
        self._report("Grading recorded answers")
        by_id = {record.id: record for record in self.data.train}
        own = self.asked.ask([(by_id[e.record_id], [e.answer]) for e in pool.entries])
        pool.set_rewards({
            entry.record_id: None if np.isnan(reward) else float(reward)
            for entry, reward in zip(pool.entries, own, strict=True)
        })  # fmt: skip
        self.phase = "preparing"
        self._report("Looking for answers to each prompt")
        fit, selection, valid = self._parts(pool, groups)
        self.scaling = fit_scaling([prompt.table for prompt in fit.prompts])
        fit, selection, valid = (self._scaled(part) for part in (fit, selection, valid))
        self.reference = reference_weights(self.scaling, self.settings)
        batch = _Batch([prompt for prompt in fit.prompts if len(prompt.answers) > 1])
        batches = -(-len(batch.prompts) // self.settings.batch_prompts)
        self.batches, self.steps = max(1, batches), batches * self.settings.n_epochs
        measured_at = _evenly(self.steps, self.settings.evaluations)
        if self.state.step < 0:
            self.weights = self.reference
            self._complete(0, CurvePoint(step=0, epoch=0.0), selection, valid, measured=True)
        for step in range(self.state.step + 1, self.steps + 1):
            point = self._learn(step, batch)
            self._complete(step, point, selection, valid, measured=step in measured_at)
        self.phase = "evaluating"
        self._report("Measuring the result")
        served, selection_change = choose_checkpoint(selection, self.state.checkpoints, self.asked)
        measured = Measured(
            fit=fit, selection=selection, valid=valid, checkpoints=self.state.checkpoints,
            curve=self.state.curve, pool=pool.size,
        )  # fmt: skip
        report = make_report(measured, served, selection_change, self.asked)
        self._save()
        artifact = Artifact(
            format=FORMAT,
            features=FEATURES,
            weights=served.weights,
            reference=tuple(self.reference.tolist()),
            scaling=self.scaling,
            settings=self.settings,
            pool=tuple(pool.entries),
        )
        outcome = TrainingOutcome(report=report, artifact=dump_policy(artifact))
        self.phase = "done"
        self._report(report.summary)
        return outcome

    # Preparation ----------------------------------------------------------------------------------

    def _parts(self, pool: Pool, groups: dict[str, int]) -> tuple[Part, Part, Part]:
        """Prompts to learn from, to choose the checkpoint by, and to measure on."""
        own_places: dict[int, set[int]] = defaultdict(set)
        for place, entry in enumerate(pool.entries):
            own_places[groups[entry.record_id]].add(place)
        chosen = hold_out(
            self.data.train, groups, self.settings.selection_share, seed=self.seed + 1
        )

        def part(records: Sequence[Record]) -> Part:
            prompts = []
            for record in sorted(records, key=lambda one: one.id):
                group = groups[record.id]
                found = find_candidates(pool, record.input, self.settings, own_places[group])
                prompts.append(Prompt(record, group, found.answers, found.features))
                self._between()
            return Part(tuple(prompts))

        return (
            part([record for record in self.data.train if record.id not in chosen]),
            part([record for record in self.data.train if record.id in chosen]),
            part(self.data.valid),
        )

    def _scaled(self, part: Part) -> Part:
        return Part(tuple(
            msgspec.structs.replace(prompt, table=self.scaling.apply(prompt.table))
            for prompt in part.prompts
        ))  # fmt: skip

    # Learning -------------------------------------------------------------------------------------

    def _learn(self, step: int, batch: _Batch) -> CurvePoint:
        """One step of GRPO: sample groups, ask for rewards, and update a few times on them."""
        settings = self.settings
        epoch, place = divmod(step - 1, self.batches)
        order = np.random.default_rng([self.seed, _ORDER, epoch]).permutation(len(batch.prompts))
        rows = order[place * settings.batch_prompts : (place + 1) * settings.batch_prompts]
        features, present = batch.features[rows], batch.present[rows]
        logs = log_policy(features, present, self.weights, settings.temperature)
        rng = np.random.default_rng([self.seed, _SAMPLING, step])
        choices = _sample(np.exp(logs), settings.group_size, rng)
        rewards = self.asked.ask([
            (batch.prompts[row].record, [batch.prompts[row].answers[choice]])
            for row, group in zip(rows, choices, strict=True)
            for choice in group
        ]).reshape(choices.shape)  # fmt: skip
        gains = advantages(rewards)
        groups = Groups(
            features=features,
            present=present,
            choices=choices,
            advantages=gains,
            old=np.take_along_axis(logs, choices, axis=1),
            reference=log_policy(features, present, self.reference, settings.temperature),
        )
        result: Surrogate | None = None
        clipped = []
        for _ in range(settings.inner_iterations):
            result = surrogate(
                self.weights,
                groups,
                temperature=settings.temperature,
                clip_ratio=settings.clip_ratio,
                kl_weight=settings.kl_weight,
            )
            clipped.append(result.clip_share)
            self.adam, self.weights = climb(
                self.adam, self.weights, result.gradient, settings.learning_rate
            )
        assert result is not None  # noqa: S101 - there is at least one iteration
        return CurvePoint(
            step=step,
            epoch=step / self.batches,
            train_reward=None if np.isnan(rewards).all() else float(np.nanmean(rewards)),
            kl=result.kl,
            entropy=result.entropy,
            clip_share=float(np.mean(clipped)),
            flat_share=float(np.isnan(gains).all(axis=1).mean()),
        )

    def _complete(
        self, step: int, point: CurvePoint, selection: Part, valid: Part, *, measured: bool
    ) -> None:
        self.phase = "training"
        checkpoints = self.state.checkpoints
        if measured:
            chosen = selection.mean(selection.rewards(self.weights, self.asked))
            held = valid.mean(valid.rewards(self.weights, self.asked))
            point = msgspec.structs.replace(point, selection=chosen, valid=held)
            checkpoint = Checkpoint(
                step=step,
                weights=tuple(self.weights.tolist()),
                selection_reward=chosen.estimate if chosen else None,
                valid_reward=held.estimate if held else None,
            )
            checkpoints += (checkpoint,)
            self.run.save_checkpoint(checkpoint)
        # Replaced as a whole when a step is complete: what is saved within one knows more rewards,
        # and is otherwise where the step began.
        self.state = msgspec.structs.replace(
            self.state,
            step=step,
            weights=tuple(self.weights.tolist()),
            moments=(self.adam.step, tuple(self.adam.first.tolist()),
                     tuple(self.adam.second.tolist())),
            curve=(*self.state.curve, point),
            checkpoints=checkpoints,
        )  # fmt: skip
        if measured:
            self._save()
        self._report(f"Step {step} of {self.steps}", point)
        self._between()

    # State and reports ----------------------------------------------------------------------------

    def _between(self) -> None:
        """Stop if that is asked for; else save now and then what has been graded."""
        reason = self.run.requested()
        if reason:
            self._save()
            word = "paused" if reason == "pause" else "cancelled"
            raise TrainingStopped(
                f"The training was {word} after {max(0, self.state.step)} steps.",
                hint="Start it with its saved state to go on.",
                reason=reason,
            )
        if time.monotonic() - self.saved_at > _SAVE_EVERY_S:
            self._save()

    def _save(self) -> None:
        state = msgspec.structs.replace(self.state, rewards=self.asked.known)
        self.run.save_state(msgspec.msgpack.encode(state))
        self.saved_at = time.monotonic()

    def _load(self) -> _State | None:
        saved = self.run.load_state()
        if saved is None:
            return None
        try:
            state = msgspec.msgpack.decode(saved, type=_State)
        except msgspec.MsgspecError as error:
            raise InvalidArgument(
                f"The saved state cannot be read: {error}.", hint="Start a new run."
            ) from None
        if state.fingerprint != self.fingerprint:
            raise InvalidArgument(
                "The saved state is of a run with other records or another configuration.",
                hint="Start a new run for these.",
            )
        return state

    def _report(self, message: str, point: CurvePoint | None = None) -> None:
        # Grading the recorded answers is about a tenth of a usual run, measuring it the last bit.
        done = max(0, self.state.step) / self.steps if self.steps else 0.0
        share = {"preparing": 0.02, "grading": 0.05, "training": 0.1 + 0.85 * done,
                 "evaluating": 0.96, "done": 1.0}[self.phase]  # fmt: skip
        self.run.report(
            TrainingProgress(
                phase=self.phase,
                share=share,
                step=max(0, self.state.step),
                steps=self.steps,
                epoch=max(0, self.state.step) / self.batches,
                gradings=len(self.asked.known),
                message=message,
                point=point,
                curve=self.state.curve,
            )
        )


class _Batch:
    """Prompts as arrays: features P x K x F, and which of the K candidates there are."""

    def __init__(self, prompts: Sequence[Prompt]) -> None:
        self.prompts = prompts
        most = max((len(prompt.answers) for prompt in prompts), default=0)
        self.features = np.zeros((len(prompts), most, len(FEATURES)))
        self.present = np.zeros((len(prompts), most), np.bool_)
        for row, prompt in enumerate(prompts):
            self.features[row, : len(prompt.table)] = prompt.table
            self.present[row, : len(prompt.table)] = True


def _sample(policy: Floats, size: int, rng: np.random.Generator) -> Integers:
    """Draw candidates of each prompt with their probabilities: P x ``size`` places, repeated."""
    edges = policy.cumsum(axis=1)
    drawn = rng.random((len(policy), size))[:, :, None] * edges[:, None, -1:]
    places = (drawn >= edges[:, None, :]).sum(axis=2)
    # Padding has no probability, and a sum that rounding left short of 1 must not lead into it.
    last = (policy > 0).cumsum(axis=1).argmax(axis=1)
    drawn_places: Integers = np.minimum(places, last[:, None])
    return drawn_places


def _evenly(steps: int, times: int) -> frozenset[int]:
    """So many steps, evenly over all of them, the last one included."""
    return frozenset(round(steps * i / times) for i in range(1, times + 1))


def _fingerprint(data: TrainingData, config: TrainingConfig) -> bytes:
    """What a state belongs to: the configuration, and what of the records matters here."""
    digest = hashlib.blake2b(msgspec.msgpack.encode(config), digest_size=16)
    for part in (data.train, data.valid):
        digest.update(b"part")
        for record in sorted(part, key=lambda one: one.id):
            content = (record.id, record.thread_id, record.source_record_id, record.topic,
                       record.input, record.output, record.item)  # fmt: skip
            digest.update(msgspec.msgpack.encode(content))
    return digest.digest()
