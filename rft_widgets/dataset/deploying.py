"""Putting the policies of a dataset to use."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any

import msgspec

from rft_widgets.dataset.deployment import Deployment
from rft_widgets.dataset.routing import make_router, prompt_of
from rft_widgets.dataset.training import HasTraining
from rft_widgets.dataset.training_job import TrainingJob
from rft_widgets.errors import InvalidArgument
from rft_widgets.graders.rewards import normalized_reward
from rft_widgets.graders.sample import item_of, sample_of
from rft_widgets.jobs.training import slug
from rft_widgets.llm.budget import one_budget
from rft_widgets.model.deployed import (
    BASE,
    TUNED,
    Benchmark,
    DeploymentConfig,
    PlaygroundAnswer,
)
from rft_widgets.model.deployment import DeploymentMode, DeploymentState
from rft_widgets.model.estimate import micro_usd
from rft_widgets.model.llm import ModelConnection
from rft_widgets.model.record import Record, RecordInput
from rft_widgets.steps.benchmark import Answered, compare_policies
from rft_widgets.steps.progress import Progress
from rft_widgets.store import deployments
from rft_widgets.trainers import LocalPolicy, Policy, PolicyAnswer
from rft_widgets.trainers.language import LanguagePolicy


class HasDeployments(HasTraining):
    """Putting what was trained to use."""

    def deploy(
        self,
        mode: DeploymentMode = "new_endpoint",
        *,
        job: TrainingJob | str | None = None,
        model: str | None = None,
        base_model: str | None = None,
        checkpoint: int | None = None,
        ratio: float = 50.0,
        upstream: ModelConnection | None = None,
        upstream_model: str | None = None,
        keep_exchanges: bool = True,
        start: bool = True,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
    ) -> Deployment:
        """Serve a trained policy as an OpenAI-compatible endpoint.

        Parameters
        ----------
        mode
            ``new_endpoint``: under its own name. ``replace``: for everybody who asks for the base
            model, too. ``ab_test``: for a part of the users, who stay on their arm.
        job
            The training run; by default the newest one that completed.
        model
            Name of the tuned model on the wire; by default made of the dataset's name.
        base_model
            Name of the base model on the wire; by default ``upstream_model``, else ``base``.
        checkpoint
            Step of the run whose model is served; by default the one that is chosen now. It stays
            that one, whatever is chosen later.
        ratio
            Percent of the users (0..100) that an ``ab_test`` gives to the tuned model.
        upstream, upstream_model
            Where the base model is asked, and what it is called there. Without it the base arm is
            the policy from before the training; a service that does not serve that needs one.
        keep_exchanges
            Whether requests and answers are kept in the store; `Deployment.outcome` needs them.
        start
            Whether to serve it at once; see `Deployment.start`.
        host, port, token
            As for `Deployment.start`.

        Raises
        ------
        InvalidArgument
            There is no trained policy, or the options do not go together.
        NotFound
            There is no checkpoint of that step.
        """
        chosen = self._trained(job)
        config = DeploymentConfig(
            mode=mode,
            model=model or self.model_name,
            base_model=base_model or upstream_model or BASE,
            ratio=float(ratio),
            upstream=upstream,
            upstream_model=upstream_model,
            keep_exchanges=keep_exchanges,
            checkpoint=chosen.served_step if checkpoint is None else checkpoint,
        )
        if not 0 <= config.ratio <= 100:
            raise InvalidArgument(f"The ratio {ratio} is no percentage.", hint="Use 0 to 100.")
        # What does not go together is refused before there is a deployment of it.
        with closing(chosen.policy(config.checkpoint)) as policy:
            make_router("trial", config, policy, DeploymentState)
        key = deployments.create(self._store, self.id, chosen.id, msgspec.to_builtins(config))
        deployment = Deployment(self._store, key)
        return deployment.start(host=host, port=port, token=token) if start else deployment

    @property
    def model_name(self) -> str:
        """Name of the tuned model on the wire, unless a deployment is given another one."""
        return f"rft-{slug(self.name)}"

    @property
    def deployments(self) -> tuple[Deployment, ...]:
        """Every deployment, the oldest first."""
        with self._store.read() as connection:
            return tuple(
                Deployment(self._store, row.id) for row in deployments.read_all(connection, self.id)
            )

    def deployment(self, deployment_id: str) -> Deployment:
        """One deployment; `NotFound` if the dataset has none of that id."""
        with self._store.read() as connection:
            deployments.read(connection, deployment_id, self.id)
        return Deployment(self._store, deployment_id)

    def playground(
        self,
        prompt: Record | str | Sequence[Mapping[str, Any]],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        job: TrainingJob | str | None = None,
        checkpoint: int | None = None,
        max_cost_usd: float | None = None,
    ) -> dict[str, PlaygroundAnswer]:
        """Let the policy from before the training and the trained one answer one prompt.

        Parameters
        ----------
        prompt
            A record, whose item the answers are graded with; the text of a user; or messages.
        tools
            Tools on offer, of a prompt that is no record.
        job
            The training run; by default the newest one that completed.
        checkpoint
            Step of the run whose model answers; by default the one that is served.
        max_cost_usd
            Most dollars that services and the grader's models may cost together.

        Returns
        -------
        Answers by the names of the arms, ``base`` and ``tuned``. Where the grader needs an item
        and there is none, there is an error instead of a reward.

        Raises
        ------
        NoCandidate
            No recorded answer fits the prompt, or it is too long for a language model.
        """
        if isinstance(prompt, Record):
            asked, item = prompt.input, item_of(prompt)
        else:
            messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
            asked = prompt_of(messages, tools)
            item = {"messages": list(messages)}
        with one_budget(micro_usd(max_cost_usd)):
            with closing(self._trained(job).policy(checkpoint)) as policy:
                found = {arm: _timed(policy, asked, reference=arm == BASE) for arm in (BASE, TUNED)}
            with self.compiled_grader() as compiled:
                answers = {}
                for arm, (answer, latency_s) in found.items():
                    result = compiled.grade(sample_of(asked, [answer.message]), item)
                    answers[arm] = PlaygroundAnswer(
                        message=answer.message,
                        source_record_id=answer.source_record_id,
                        similarity=answer.similarity,
                        probability=answer.probability,
                        reward=normalized_reward(compiled.grader, result),
                        error=result.error,
                        latency_s=latency_s,
                        usage=answer.usage,
                    )
        return answers

    def benchmark(
        self,
        job: TrainingJob | str | None = None,
        *,
        checkpoint: int | None = None,
        seed: int = 0,
        max_cost_usd: float | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> Benchmark:
        """Measure the policy from before the training and the trained one, with the grader of now.

        Parameters
        ----------
        job
            The training run, whose validation records are asked; by default the newest one that
            completed.
        checkpoint
            Step of the run whose model is measured; by default the one that is served.
        seed
            Of the intervals.
        max_cost_usd
            Most dollars that services and the grader's models may cost together.
        progress, cancelled
            Told and asked after every answer.

        Raises
        ------
        InvalidArgument
            There is no trained policy, no grader, or none of the validation records is left.
        RunInterrupted
            It was cancelled; nothing of it is kept.
        """
        chosen = self._trained(job)
        records = self._validation(chosen)
        with (
            one_budget(micro_usd(max_cost_usd)),
            self.compiled_grader(max_cost_usd=max_cost_usd, cancelled=cancelled) as compiled,
            closing(
                chosen.policy(checkpoint, max_cost_usd=max_cost_usd, cancelled=cancelled)
            ) as policy,
        ):
            found = compare_policies(
                records,
                partial(_answers, policy, reference=True),
                partial(_answers, policy, reference=False),
                compiled,
                seed=seed,
                progress=progress,
                cancelled=cancelled,
            )
        step = chosen.served_step if checkpoint is None else checkpoint
        return msgspec.structs.replace(found, checkpoint=step)

    def _validation(self, job: TrainingJob) -> list[Record]:
        """Records that a run was measured on, as far as they are still there."""
        found = list(self.iterate(self.select(ids=job.split.valid)))
        if not found:
            raise InvalidArgument(
                "None of the records that the run was measured on is left.", hint="Train again."
            )
        return found

    def _trained(self, job: TrainingJob | str | None) -> TrainingJob:
        if isinstance(job, TrainingJob):
            return job
        if job is not None:
            return self.training_job(job)
        done = [one for one in self.training_jobs if one.status == "completed"]
        if not done:
            raise InvalidArgument(
                "There is no trained policy.", hint="Train one with train() and wait for its end."
            )
        return done[-1]


def _timed(
    policy: Policy, asked: RecordInput, *, reference: bool
) -> tuple[PolicyAnswer, float | None]:
    """An answer and the seconds that it takes once the policy is at work."""
    if isinstance(policy, LanguagePolicy):
        policy.load(reference=reference)
    elif isinstance(policy, LocalPolicy):
        policy.respond(asked.messages, asked.tools)  # the first answer takes longer than the others
    began = time.perf_counter()
    answer = policy.respond(asked.messages, asked.tools, reference=reference)
    return answer, None if answer.is_repeated else time.perf_counter() - began


def _answers(
    policy: Policy, prompts: Sequence[RecordInput], *, reference: bool
) -> Iterator[Answered]:
    """Answers with the seconds of each, which the policy knows, or which pass until it comes."""
    began = time.perf_counter()
    for answer in policy.respond_many(prompts, reference=reference):
        took_s: float | None = time.perf_counter() - began
        if answer is not None and answer.seconds is not None:
            took_s = answer.seconds
        if answer is None or answer.is_repeated:
            took_s = None
        yield None if answer is None else answer.message, took_s
        began = time.perf_counter()
