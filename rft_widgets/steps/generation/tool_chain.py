"""Prompts that need given tools in order, without naming them; or the whole exchange."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.generation import GenerationConfig
from rft_widgets.model.message import Tool
from rft_widgets.steps.generation.material import (
    Frame,
    Material,
    Request,
    Source,
    compose,
    opening_of,
    shown_tool,
)

_TASK = (
    "Below are tools, in an order. Write first messages of users who want something for which the "
    "assistant has to call exactly these tools in this order, the later ones with what the earlier "
    "ones give. No message names a tool, or says that there are any."
)
_FORM = (
    ', and the rest of the exchange: in "calls" one object for each of the tools, in order, with '
    '"tool", "arguments" (JSON as text that fits the schema of the tool) and "result" (what the '
    'tool gives back, as text), and in "answer" what the assistant says to the user in the end'
)


def request(
    material: Material, config: GenerationConfig, number: int, count: int, known: Sequence[str]
) -> Request:
    """Ask for prompts that need a chain of tools; the chains of the topic take turns."""
    chains = chains_of(material, config)
    names = chains[number % len(chains)]
    tools = tuple(material.tools[name] for name in names)
    source = _with_chain(material.sources, names)
    frame = material.frame if source is None else opening_of(source)
    offered = {one.function.name for one in frame.tools if one.function is not None}
    missing = {name: material.tools[name] for name in names if name not in offered}
    return Request(
        topic=material.topic,
        strategy="tool_chain",
        number=number,
        count=count,
        messages=compose(
            _TASK,
            [("tools", [shown_tool(tool) for tool in tools])],
            material=material,
            config=config,
            count=count,
            known=known,
            form=_FORM if config.whole_exchange else "",
        ),
        frame=Frame(
            before=frame.before,
            tools=(*frame.tools, *missing.values()),
            tool_choice=frame.tool_choice,
        ),
        chain=tools if config.whole_exchange else (),
        unnamed=tuple(dict.fromkeys(names)),
    )


def chains_of(material: Material, config: GenerationConfig) -> tuple[tuple[str, ...], ...]:
    """The chains to ask for: the one that was given, or those of the topic, the usual first.

    Raises
    ------
    InvalidArgument
        A tool is unknown, or no recorded answer calls any.
    """
    if config.tools:
        for name in config.tools:
            if name not in material.tools:
                raise InvalidArgument(
                    f"No record offers a tool {name!r}.",
                    hint=f"Choose of {_listed(material.tools)}.",
                )
        return (config.tools,)
    called = Counter(
        one.called
        for one in material.sources
        if one.called and all(name in material.tools for name in one.called)
    )
    if not called:
        raise InvalidArgument(
            f"No recorded answer under {material.topic!r} calls tools.",
            hint="Name them in `tools`, or choose another strategy.",
        )
    return tuple(chain for chain, _ in called.most_common())


def _with_chain(sources: Sequence[Source], names: Sequence[str]) -> Source | None:
    """The record that lends its instructions: one that calls these tools, else any."""
    first = sources[0] if sources else None
    return next((one for one in sources if set(names) <= set(one.called)), first)


def _listed(tools: dict[str, Tool]) -> str:
    return ", ".join(sorted(tools)) or "none: no record offers tools"
