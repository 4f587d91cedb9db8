"""What a dataset holds that new records are made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.generation import GenerationConfig, TopicPlan
from rft_widgets.model.message import Tool
from rft_widgets.model.record import Record
from rft_widgets.model.topic import TopicHierarchy
from rft_widgets.steps.generation import Frame, Material, Source, chains_of, opening_of
from rft_widgets.steps.generation.plan import per_request
from rft_widgets.store import filters
from rft_widgets.store.generation_sources import first_of_all, recorded_of, selected_of

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

_SHOWN = 200
"""Records of a topic that examples are drawn from."""
_MOST_VARIED = 5_000
"""Records of a topic that are varied; of more, they take turns again."""
_LOOKED_AT = 100
"""First records of the dataset: what usually stands around a prompt, and which tools there are."""
_PLANNED_WITH = 10
"""Records of a topic that a plan counts the tokens of requests with."""
_SIBLINGS = 30
"""Other topics that a request names."""


def read_materials(
    store: Store,
    dataset_id: str,
    config: GenerationConfig,
    topics: Sequence[TopicPlan],
    tree: TopicHierarchy,
    *,
    for_plan: bool = False,
) -> dict[str, Material]:
    """Read the material of each topic that something is made for.

    For a plan a few records of each are enough, but for chains of tools.

    Raises
    ------
    InvalidArgument
        A topic is gone, there is nothing to start from, or a chain of tools cannot be made of it.
    """
    if config.selection is not None:
        filters.make_searchable(store, dataset_id, config.selection.where)
    made = [one for one in topics if one.to_generate]
    drawn = {one.topic: _sources(store, dataset_id, config, one, for_plan=for_plan) for one in made}
    usual = first_of_all(store, dataset_id, _LOOKED_AT)
    tools = _tools([*usual, *(record for records in drawn.values() for record in records)])
    frame = _usual_frame(usual)
    nodes = {leaf.id: leaf for leaf in tree.leaves()}
    found: dict[str, Material] = {}
    for one in made:
        node = nodes.get(one.topic)
        if node is None:
            raise InvalidArgument(f"There is no topic {one.topic!r} any more.", hint="Plan again.")
        material = Material(
            topic=one.topic,
            description=node.description,
            keywords=node.keywords,
            siblings=tuple(path for path in nodes if path != one.topic)[:_SIBLINGS],
            sources=tuple(_source(record) for record in drawn[one.topic]),
            frame=frame,
            tools=tools,
        )
        if not material.sources and one.strategy in ("message_variation", "few_shot"):
            raise InvalidArgument(
                f"There is no record under {one.topic!r} to start from.", hint="Plan again."
            )
        if one.strategy == "tool_chain":
            chains_of(material, config)
        found[one.topic] = material
    return found


def _sources(
    store: Store, dataset_id: str, config: GenerationConfig, plan: TopicPlan, *, for_plan: bool
) -> tuple[Record, ...]:
    if plan.strategy == "topic_description" and config.source != "selected":
        return ()
    most, seed = _SHOWN, f"{config.seed}:{plan.topic}"
    if for_plan and plan.strategy != "tool_chain":
        most = _PLANNED_WITH
    elif plan.strategy == "message_variation":
        most = min(_MOST_VARIED, -(-plan.to_generate // per_request(config, plan.strategy)))
    if config.source == "selected" and config.selection is not None:
        return selected_of(store, dataset_id, config.selection, plan.topic, most=most, seed=seed)
    return recorded_of(store, dataset_id, plan.topic, most=most, seed=None if for_plan else seed)


def _source(record: Record) -> Source:
    return Source(
        id=record.id,
        messages=record.input.messages,
        output=record.output.messages,
        tools=record.input.tools,
        tool_choice=record.input.tool_choice,
    )


def _tools(records: Sequence[Record]) -> dict[str, Tool]:
    found: dict[str, Tool] = {}
    for record in records:
        for tool in record.input.tools:
            if tool.function is not None and tool.function.name:
                found.setdefault(tool.function.name, tool)
    return found


def _usual_frame(records: Sequence[Record]) -> Frame:
    """Instructions and tools that most of the records have; of equals, those of the first."""
    frames = [opening_of(_source(record)) for record in records]
    keys = [repr(frame) for frame in frames]
    if not keys:
        return Frame()
    usual, _ = Counter(keys).most_common(1)[0]
    return frames[keys.index(usual)]
