"""A deployment at work: its server, its traffic, and what its arms are worth."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import msgspec

from rft_widgets.dataset import served as by_worker
from rft_widgets.dataset.outcome import measure
from rft_widgets.dataset.routing import make_router, needs_base, served_by
from rft_widgets.dataset.training_job import TrainingJob
from rft_widgets.errors import InvalidArgument
from rft_widgets.jobs.running import left_to_worker
from rft_widgets.model.deployed import DeploymentConfig, DeploymentOutcome
from rft_widgets.model.deployment import DeploymentState, DeploymentStatus, ServedExchange
from rft_widgets.model.served import ServedState
from rft_widgets.serving.app import Endpoint
from rft_widgets.serving.server import Server
from rft_widgets.serving.tokens import endpoint_token
from rft_widgets.steps.progress import Progress
from rft_widgets.store import deployments, served
from rft_widgets.store.connection import Store
from rft_widgets.store.deployments import ArmTotals, DeploymentRow
from rft_widgets.trainers import Policy
from rft_widgets.trainers.language import LanguagePolicy
from rft_widgets.trainers.language.vllm import START_TIMEOUT_S

_WAIT_S = 30.0
"""Longest wait for the worker to serve something that needs not be loaded."""

_servers: dict[str, Server] = {}
"""Servers of this process by deployment: every object of a deployment sees the same one."""


class Deployment:
    """A deployed policy, served by this process or by the worker. Its state is in the store.

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
    def loads_a_model(self) -> bool:
        """Whether a language model may have to be loaded first, which takes minutes."""
        return self.job.config.trainer != "local"

    def policy(self) -> Policy:
        """The policy that it serves, ready to answer; close it after use."""
        job, step = self.job, self.config.checkpoint
        if step is None and job.report is not None:
            step = job.report.served_step
        return job.policy(step)

    @property
    def counts(self) -> dict[str, ArmTotals]:
        """What went through each arm, in all processes that serve it."""
        return deployments.totals(self._store, self.id)

    @property
    def served(self) -> ServedState:
        """Whether it is served, where, and why not: by this process, else by the worker."""
        server = self.server
        if server is not None:
            return ServedState(status="served", base_url=server.base_url, said=server.said)
        with self._store.read() as connection:
            return by_worker.state_of(served.read(connection, self.id))

    @property
    def base_url(self) -> str:
        """What OpenAI clients are given, while it is served."""
        url = self.served.base_url
        if url is None:
            raise self._not_served()
        return url

    @property
    def token(self) -> str:
        """What clients send as their key. It is in no store and no log.

        That of a server in this process is its own. The worker's is made from a secret beside the
        store, so that it is the same after every restart.
        """
        server = self.server
        if server is not None:
            return server.app.token
        if not self.served.by_worker:
            raise self._not_served()
        return endpoint_token(self._store.side_folder, self.id)

    def start(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
        allow_network: bool = False,
        hosts: Sequence[str] = (),
        wait: bool = True,
    ) -> Deployment:
        """Serve it in the background: by the worker process, or from this one; see `Server`.

        Where ``RFT_WIDGETS_JOBS`` is ``worker``, as in the app, the worker serves it until `stop`,
        at the same address and with the same token after every restart. Else it is served while
        this process lives.

        Parameters
        ----------
        host, port
            Where to listen; port 0 is a free one, the worker's the one from before.
        token
            What clients have to send; a random one by default. The worker's cannot be chosen.
        allow_network, hosts
            Let other machines reach it, and the names they may call it by. Not by the worker.
        wait
            Whether to wait until the worker serves it; a large language model takes minutes.

        Raises
        ------
        ServingFailed
            The address cannot be had, or no worker is at work.
        """
        if left_to_worker():
            if token is not None or allow_network or hosts:
                raise InvalidArgument(
                    "The worker serves this machine alone, with a token of its own making.",
                    hint=f"`rft-widgets serve {self.id}` takes an address and a token.",
                )
            by_worker.ask(self._store, self.id, host=host, port=port)
            return self.wait_served() if wait else self
        self._stop_here()
        server = self.make_server(
            host=host, port=port, token=token, allow_network=allow_network, hosts=hosts
        )
        try:
            server.start()
        except BaseException:
            server.stop()
            raise
        _servers[self.id] = server
        return self

    def wait_served(self, timeout_s: float | None = None) -> Deployment:
        """Wait until it is served.

        Parameters
        ----------
        timeout_s
            Longest wait; by default half a minute, and half an hour for a language model.

        Raises
        ------
        ServingFailed
            It is not; the message says why.
        """
        if self.server is None:
            usual_s = START_TIMEOUT_S if self.loads_a_model else _WAIT_S
            by_worker.wait(self._store, self.id, usual_s if timeout_s is None else timeout_s)
        return self

    def make_server(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
        allow_network: bool = False,
        hosts: Sequence[str] = (),
        cancelled: Callable[[], bool] = bool,
    ) -> Server:
        """Make the server without starting it, for a process that does nothing else.

        A language model is loaded, or vLLM started with it, before this returns; `Server.stop`
        gives back what that takes. ``cancelled`` is asked meanwhile.
        """
        names = {"hosts": tuple(hosts)} if hosts else {}
        config, policy = self.config, self.policy()
        try:
            is_fit = None
            if isinstance(policy, LanguagePolicy):
                policy.serve(needs_base=needs_base(config), cancelled=cancelled)
                is_fit = policy.is_alive
            router = make_router(self.id, config, policy, self._state)
            endpoint = Endpoint(router, record=self._record, token=token, **names)
            return Server(
                endpoint,
                host=host,
                port=port,
                allow_network=allow_network,
                on_stop=policy.close,
                said=served_by(policy),
                is_fit=is_fit,
            )
        except BaseException:
            policy.close()
            raise

    def stop(self) -> None:
        """Serve it no more, from this process or by the worker; answers under way are finished."""
        self._stop_here()
        with self._store.write(durable=True) as connection:
            served.unwant(connection, self.id)

    def _stop_here(self) -> None:
        server = _servers.pop(self.id, None)
        if server is not None:
            server.stop()

    def roll_back(self) -> None:
        """Send everything to the base arm from the next request on, wherever it is served.

        The worker goes on to serve the base arm, and ends where there is none.
        """
        config = self.config
        has_base = config.mode != "new_endpoint" or config.upstream is not None
        deployments.roll_back(self._store, self.id, has_base=has_base)

    def exchanges(self) -> Iterator[ServedExchange]:
        """Requests and answers that were kept, in order."""
        for _, _, data in deployments.iterate(self._store, self.id):
            yield msgspec.json.decode(data, type=ServedExchange)

    def snippet(self, *, base_url: str | None = None, token: str | None = None) -> str:
        """Python lines that ask it.

        Parameters
        ----------
        base_url
            Its address, by default the one that it is served at.
        token
            What stands in them as the key, where they are shown; by default the token itself.
        """
        key = self.token if token is None else token
        url = self.base_url if base_url is None else base_url
        return (
            "from openai import OpenAI\n\n"
            f'client = OpenAI(base_url="{url}", api_key="{key}")\n'
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
        max_cost_usd: float | None = None,
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
        max_cost_usd
            Most dollars that the grader's models may cost.
        progress, cancelled
            Told and asked after every answer.

        Raises
        ------
        RunInterrupted, BudgetReached
            It was stopped; nothing of it is kept but what a judge answered, which is paid once.
        """
        return measure(
            self._store, self.dataset_id, self.exchanges(),
            n=n, seed=seed, max_cost_usd=max_cost_usd, progress=progress, cancelled=cancelled,
        )  # fmt: skip

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

    def _not_served(self) -> InvalidArgument:
        said = self.served.said
        return InvalidArgument(
            f"Deployment {self.id} is not served. {said}".strip(), hint="Call start()."
        )

    @property
    def _row(self) -> DeploymentRow:
        with self._store.read() as connection:
            return deployments.read(connection, self.id)

    def __repr__(self) -> str:
        with contextlib.suppress(Exception):  # a repr never raises
            where = self.served.base_url or "not served"
            return f"<Deployment {self.id}: {self.config.mode}, {self.status}, {where}>"
        return f"<Deployment {self.id}>"
