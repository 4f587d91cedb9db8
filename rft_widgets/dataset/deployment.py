"""A deployment at work: its server, its traffic, and what its arms are worth."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from rft_widgets.dataset.training import TrainingJob
from rft_widgets.errors import InvalidArgument, NoCandidate, RunInterrupted
from rft_widgets.graders.rewards import normalized_reward
from rft_widgets.graders.sample import Sample, item_of, sample_of
from rft_widgets.model.deployed import (
    BASE,
    TUNED,
    ArmOutcome,
    DeploymentConfig,
    DeploymentOutcome,
)
from rft_widgets.model.deployment import DeploymentState, DeploymentStatus, ServedExchange
from rft_widgets.model.message import message_from_json, to_json, tool_from_json
from rft_widgets.model.record import RecordInput
from rft_widgets.serving.app import Endpoint
from rft_widgets.serving.arms import Answer, Policy, PolicyArm
from rft_widgets.serving.protocol import RequestFailed
from rft_widgets.serving.router import Router
from rft_widgets.serving.server import Server
from rft_widgets.serving.upstream import UpstreamArm
from rft_widgets.statistics import IndependentDifference, bootstrap_mean, independent_difference
from rft_widgets.steps.grade import open_grader
from rft_widgets.steps.progress import Progress
from rft_widgets.store import deployments, graders, records
from rft_widgets.store.connection import Store
from rft_widgets.store.deployments import ArmTotals, DeploymentRow
from rft_widgets.store.payload import input_hash
from rft_widgets.trainers import LocalPolicy

_servers: dict[str, Server] = {}
"""Servers of this process by deployment: every object of a deployment sees the same one."""


class Deployment:
    """A deployed policy. Its state and its traffic are in the store; its server is in this process.

    Made by `OptimizationDataset.deploy`.
    """

    def __init__(self, store: Store, deployment_id: str) -> None:
        self._store = store
        self.id = deployment_id

    @property
    def server(self) -> Server | None:
        """The server in this process; ``None`` where it is not served from here."""
        found = _servers.get(self.id)
        return found if found is not None and found.running else None

    @property
    def dataset_id(self) -> str:
        """The dataset that it is of."""
        return self._row.dataset_id

    @property
    def config(self) -> DeploymentConfig:
        """How it shares out traffic."""
        return msgspec.json.decode(self._row.config, type=DeploymentConfig)

    @property
    def status(self) -> DeploymentStatus:
        """``active`` or ``rolled_back``."""
        return self._row.status

    @property
    def created_at(self) -> datetime:
        """When it was made."""
        return self._row.created_at

    @property
    def rolled_back_at(self) -> datetime | None:
        """When it was rolled back; ``None`` while it is active."""
        return self._row.rolled_back_at

    @property
    def job(self) -> TrainingJob:
        """The training run whose policy it is."""
        return TrainingJob(self._store, self._row.job_id)

    @property
    def counts(self) -> dict[str, ArmTotals]:
        """What went through each arm, in all processes that serve it."""
        return deployments.totals(self._store, self.id)

    @property
    def base_url(self) -> str:
        """What OpenAI clients are given, while it is served from this process."""
        return self._served().base_url

    @property
    def token(self) -> str:
        """What clients send as their key. It is in no store and no log."""
        return self._served().app.token

    def start(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
        allow_network: bool = False,
        hosts: Sequence[str] = (),
    ) -> Deployment:
        """Serve it from this process, in the background; see `Server`.

        Parameters
        ----------
        host, port
            Where to listen; port 0 is a free one.
        token
            What clients have to send; a random one by default.
        allow_network, hosts
            Let other machines reach it, and the names they may call it by.
        """
        self.stop()
        server = self.make_server(
            host=host, port=port, token=token, allow_network=allow_network, hosts=hosts
        )
        server.start()
        _servers[self.id] = server
        return self

    def make_server(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
        allow_network: bool = False,
        hosts: Sequence[str] = (),
    ) -> Server:
        """Make the server without starting it, for a process that does nothing else."""
        names = {"hosts": tuple(hosts)} if hosts else {}
        router = make_router(self.id, self.config, self.job.policy(), self._state)
        endpoint = Endpoint(router, record=self._record, token=token, **names)
        return Server(endpoint, host=host, port=port, allow_network=allow_network)

    def stop(self) -> None:
        """Stop to serve it from this process; answers under way are finished."""
        server = _servers.pop(self.id, None)
        if server is not None:
            server.stop()

    def roll_back(self) -> None:
        """Send everything to the base arm from the next request on, wherever it is served."""
        deployments.roll_back(self._store, self.id)

    def exchanges(self) -> Iterator[ServedExchange]:
        """Requests and answers that were kept, in order."""
        for _, _, data in deployments.iterate(self._store, self.id):
            yield msgspec.json.decode(data, type=ServedExchange)

    def snippet(self, *, token: str | None = None) -> str:
        """Python lines that ask it.

        Parameters
        ----------
        token
            What stands in them as the key, where they are shown; by default the token itself.
        """
        key = self.token if token is None else token
        return (
            "from openai import OpenAI\n\n"
            f'client = OpenAI(base_url="{self.base_url}", api_key="{key}")\n'
            "answer = client.chat.completions.create(\n"
            f'    model="{self.config.model}",\n'
            '    messages=[{"role": "user", "content": "..."}],\n'
            ")\n"
        )

    def outcome(
        self,
        *,
        n: int = 1_000,
        seed: int = 0,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> DeploymentOutcome:
        """Measure the answers of both arms with the dataset's grader.

        Requests that equal a record's prompt are graded with that record's item; the others have
        no item, and a grader that needs one fails on them, which is counted and no zero.

        Parameters
        ----------
        n
            Newest answers of each arm to grade, at most.
        seed
            Of the intervals.
        progress, cancelled
            Told and asked after every answer.

        Raises
        ------
        RunInterrupted
            It was cancelled; nothing of it is kept.
        """
        kept: dict[str, list[ServedExchange]] = {TUNED: [], BASE: []}
        for one in self.exchanges():
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

        for arm, found in newest.items():
            graded = self._rewards(found, graded_one)
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
        self, found: Sequence[ServedExchange], graded_one: Callable[[], None]
    ) -> list[tuple[ServedExchange, float | None]]:
        if not found:
            return []
        with self._store.read() as connection:
            version = graders.current(connection, self._row.dataset_id)
        if version is None:
            raise InvalidArgument("The dataset has no grader.", hint="Save one with set_grader().")
        pairs = [self._pair(one) for one in found]
        rewards: list[tuple[ServedExchange, float | None]] = []
        with open_grader(version) as compiled:
            for one, result in zip(found, compiled.grade_many(pairs), strict=True):
                rewards.append((one, normalized_reward(compiled.grader, result)))
                graded_one()
        return rewards

    def _pair(self, one: ServedExchange) -> tuple[Sample, Mapping[str, Any]]:
        asked = prompt_of(one.messages, one.tools)
        answer = message_from_json(one.answer or {}, "answer")
        known = records.with_input(self._store, self._row.dataset_id, input_hash(asked))
        item: dict[str, Any] = {"messages": list(one.messages)}
        if known is not None:
            item = item_of(known)
        return sample_of(asked, [answer]), item

    def _state(self) -> DeploymentState:
        row = self._row
        ratio = msgspec.json.decode(row.config, type=DeploymentConfig).ratio
        return DeploymentState(status=row.status, tuned_percent=ratio)

    def _record(self, exchange: ServedExchange) -> None:
        keep = self.config.keep_exchanges
        deployments.record(
            self._store,
            self.id,
            arm=exchange.arm,
            failed=exchange.outcome == "failed",
            duration_s=exchange.latency_s,
            data=msgspec.json.encode(exchange) if keep else None,
        )

    def _served(self) -> Server:
        server = self.server
        if server is None:
            raise InvalidArgument(
                f"Deployment {self.id} is not served from this process.", hint="Call start()."
            )
        return server

    @property
    def _row(self) -> DeploymentRow:
        with self._store.read() as connection:
            return deployments.read(connection, self.id)

    def __repr__(self) -> str:
        with contextlib.suppress(Exception):  # a repr never raises
            server = self.server
            where = "not served from here" if server is None else server.base_url
            return f"<Deployment {self.id}: {self.config.mode}, {self.status}, {where}>"
        return f"<Deployment {self.id}>"


def make_router(
    key: str, config: DeploymentConfig, policy: LocalPolicy, state: Callable[[], DeploymentState]
) -> Router:
    """Make the router of a deployment.

    Raises
    ------
    InvalidArgument
        The options do not go together.
    """
    tuned = PolicyArm(TUNED, config.model, _answers(policy, reference=False))
    base: UpstreamArm | PolicyArm | None = None
    if config.upstream is not None:
        base = UpstreamArm(
            BASE,
            config.base_model,
            config.upstream.base_url,
            upstream_model=config.upstream_model,
            api_key_env=config.upstream.api_key_env,
            timeout_s=config.upstream.timeout_s,
        )
    elif config.mode != "new_endpoint":
        base = PolicyArm(BASE, config.base_model, _answers(policy, reference=True))
    return Router(key, config.mode, tuned, base=base, state=state)


def _answers(policy: LocalPolicy, *, reference: bool) -> Policy:
    """Make the function that answers requests with a policy."""

    def answer(
        messages: Sequence[dict[str, Any]],
        tools: Sequence[dict[str, Any]],
        _body: Mapping[str, Any],
    ) -> Answer:
        asked = prompt_of(messages, tools)
        try:
            found = policy.respond(asked.messages, asked.tools, reference=reference)
        except NoCandidate as error:
            raise RequestFailed(422, str(error), code="no_candidate") from None
        headers = {
            "X-RFT-Source-Record": quote(found.source_record_id, safe=""),
            "X-RFT-Similarity": f"{found.similarity:.4f}",
        }
        return Answer(to_json(found.message), found.finish_reason, headers)

    return answer


def prompt_of(
    messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]
) -> RecordInput:
    """Read messages and tools as they come from clients."""
    return RecordInput(
        tuple(message_from_json(value, f"messages[{i}]") for i, value in enumerate(messages)),
        tuple(tool_from_json(value, f"tools[{i}]") for i, value in enumerate(tools)),
    )


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
