"""A grader made ready to grade: its models connected, its calls planned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from msgspec import structs

from rft_widgets.errors import GraderInvalid
from rft_widgets.graders import CompiledGrader, compile_grader
from rft_widgets.graders.compiled import asks_models, parts_of
from rft_widgets.llm.client import ModelClient
from rft_widgets.llm.endpoint import missing_of
from rft_widgets.model.connection import ConnectionTest, NamedConnection
from rft_widgets.model.grader import (
    Grader,
    LabelModel,
    Multi,
    ScoreModel,
    SingleGrader,
    TextSimilarity,
)
from rft_widgets.model.grader_version import GraderVersion, JudgedAt
from rft_widgets.model.llm import ModelAnswer, ModelCall, ModelConnection, Purpose
from rft_widgets.steps.cluster import cluster_address
from rft_widgets.steps.cluster_grading import grade_on_cluster
from rft_widgets.store import connections
from rft_widgets.store.connection import Store

OpenClient = Callable[[NamedConnection], ModelClient]
"""Opens a client for a piece of work; whoever is given it closes it."""

_UNNAMED = ""
"""Name of an address without one: no saved connection can have it."""


def judges_of(grader: Grader) -> tuple[ScoreModel | LabelModel, ...]:
    """The judges of a grader, one by one."""
    return tuple(part for part in parts_of(grader) if isinstance(part, (ScoreModel, LabelModel)))


def embeds(grader: Grader) -> bool:
    """Whether a grader compares embeddings."""
    return any(
        isinstance(part, TextSimilarity) and part.evaluation_metric == "cosine"
        for part in parts_of(grader)
    )


def resolved(
    at: JudgedAt | None, grader: Grader, named: Callable[[str], NamedConnection]
) -> tuple[NamedConnection, ...]:
    """The connections that a grader's models are asked at.

    Parameters
    ----------
    at
        Where that is, as it was saved.
    grader
        The grader.
    named
        Looks a name up.

    Raises
    ------
    NotFound
        There is no connection of a name.
    """
    if at is None:
        return ()
    if isinstance(at, ModelConnection):
        judges = judges_of(grader)
        model = next((judge.model for judge in judges if judge.model), "unknown")
        return (NamedConnection(name=_UNNAMED, connection=at, model=model),)
    return tuple(named(name) for name in ((at,) if isinstance(at, str) else at))


def with_models(grader: Grader, named: Sequence[NamedConnection]) -> Grader:
    """The grader with the model of its connection where a judge names none."""
    if len(named) != 1 or named[0].name == _UNNAMED:
        return grader

    def filled(part: SingleGrader) -> SingleGrader:
        if isinstance(part, (ScoreModel, LabelModel)) and not part.model:
            return structs.replace(part, model=named[0].model)
        return part

    if not isinstance(grader, Multi):
        return filled(grader)
    parts = {name: filled(part) for name, part in grader.graders.items()}
    return structs.replace(grader, graders=parts)


def connection_faults(grader: Grader, named: Sequence[NamedConnection]) -> Iterator[GraderInvalid]:
    """Say which judges of several connections cannot be told where to ask."""
    if len(named) < 2:
        return
    for model in sorted({judge.model for judge in judges_of(grader)}):
        at = [one.name for one in named if one.model == model]
        if len(at) != 1:
            which = f"{' and '.join(at)} are both" if at else "none of the connections is"
            yield GraderInvalid(
                f"a judge asks the model {model!r}, and {which} at that model",
                hint="Name one connection for each model of the panel.",
                where="connection",
            )


def open_grader(
    grader: Grader, named: Sequence[NamedConnection], open_client: OpenClient
) -> CompiledGrader:
    """Make a grader ready; close it after use, and its clients with it.

    Raises
    ------
    GraderInvalid
        It asks a model, and there is no connection for that.
    SandboxUnavailable
        It is a script and this system cannot confine it.
    InvalidArgument
        A key may not be sent to its address.
    """
    if not asks_models(grader):
        return compile_grader(grader, elsewhere=grade_on_cluster if cluster_address() else None)
    for fault in connection_faults(grader, named):
        raise fault
    clients: list[ModelClient] = []

    def close(is_whole: bool) -> None:
        with ExitStack() as closing:
            for client in clients:
                closing.callback(client.close, is_whole=is_whole)

    try:
        clients += map(open_client, named)
        embedders = [one for one in clients if one.named.embedding_model is not None]
        return compile_grader(
            grader,
            model_call=_routed(clients),
            embed=embedders[0].embed if embedders else None,
            concurrency=max((one.concurrency for one in clients), default=1),
            on_close=close,
        )
    except BaseException:
        close(is_whole=False)
        raise


def open_version(
    store: Store,
    dataset_id: str,
    version: GraderVersion,
    *,
    cap_micro_usd: int | None = None,
    cancelled: Callable[[], bool] = bool,
) -> CompiledGrader:
    """Make a saved grader ready for work on a dataset; as `open_grader`.

    Raises
    ------
    NotFound
        Its connection is no more.
    """

    def look_up(name: str) -> NamedConnection:
        with store.read() as connection:
            return connections.read(connection, name)

    named = resolved(version.connection, version.grader, look_up)
    judges = opener(
        store, dataset_id, purpose="judge", cap_micro_usd=cap_micro_usd, cancelled=cancelled
    )
    return open_grader(version.grader, named, judges)


def opener(
    store: Store,
    dataset_id: str,
    *,
    purpose: Purpose,
    cap_micro_usd: int | None = None,
    cancelled: Callable[[], bool] = bool,
) -> OpenClient:
    """How models are opened for work on a dataset, with its ledger and its limits."""

    def open_client(named: NamedConnection) -> ModelClient:
        return ModelClient(
            named,
            purpose=purpose,
            cap_micro_usd=cap_micro_usd,
            cancelled=cancelled,
            store=store,
            dataset_id=dataset_id,
        )

    return open_client


def _routed(clients: Sequence[ModelClient]) -> ModelCall | None:
    """One way to ask several models; a single client is asked whatever the model."""
    if len(clients) < 2:
        return clients[0] if clients else None
    by_model = {client.model: client for client in clients}

    def call(model: str, messages: Sequence[dict[str, Any]], **options: Any) -> ModelAnswer:
        return by_model[model](model, messages, **options)

    return call


def missing_to_grade(
    grader: Grader, named: Sequence[NamedConnection], tests: Mapping[str, ConnectionTest]
) -> tuple[str, ...]:
    """Say what is not there yet that a grader needs when it grades, though not to be saved.

    Parameters
    ----------
    grader
        The grader.
    named
        Where its models are asked.
    tests
        What connections were last seen to do, by name.
    """
    models = sorted({judge.model for judge in judges_of(grader) if judge.model})
    missing = []
    if models and not named:
        missing.append(
            f"It asks the model {', '.join(models)}, and where that is asked is not configured."
        )
    if embeds(grader) and not any(one.embedding_model for one in named):
        missing.append(
            "The metric cosine compares embeddings, and no embedding model is configured."
        )
    for one in named if models or embeds(grader) else ():
        without_key = missing_of(one.connection)
        if without_key:
            missing.append(without_key)
        test = None if one.name == _UNNAMED else tests.get(one.name)
        if test is not None and not test.works:
            why = f": {test.problem.message}" if test.problem else "."
            missing.append(f"The connection {one.name} did not work when it was last tested{why}")
    return tuple(dict.fromkeys(missing))
