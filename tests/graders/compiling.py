"""Recorded outputs and graders of every type, for tests of compiled graders."""

from __future__ import annotations

import itertools
import json
from typing import Any

from builders import data_folder

from rft_widgets.graders.sample import item_of
from rft_widgets.model.message import FunctionCall, Message, ToolCall, tool_from_json
from rft_widgets.model.record import RecordDraft, RecordInput, RecordOutput
from rft_widgets.steps.dry_run import Answer

Json = dict[str, Any]

STANDALONE = ("trl", "verl", "openrlhf", "bedrock", "eval-protocol")


def recorded_answers(n: int = 500) -> list[Answer]:
    """Real outputs: what a dialogue system said, and calls of tools, one in five."""
    texts = _lines("datasets/taskmaster4/reward_all.jsonl")
    calls = _lines("datasets/bfcl/BFCL_v4_simple_python.jsonl")
    gold = _lines("datasets/bfcl/possible_answer/BFCL_v4_simple_python.jsonl")
    drafts = [_said(row) for row in itertools.islice(texts, n - n // 5)]
    drafts += [_called(*pair) for pair in itertools.islice(zip(calls, gold, strict=True), n // 5)]
    return [
        Answer(
            record_id=f"r{place}",
            prompt_key=str(place),
            repeat=0,
            input=draft.input,
            output=draft.output.messages,
            item=item_of(draft),
        )
        for place, draft in enumerate(drafts)
    ]


def _said(row: Json) -> RecordDraft:
    turns = json.loads(row["context"])
    prompt = [Message("system", "You take orders.")] + [
        Message("user" if one["role"] == "user" else "assistant", json.dumps(one)) for one in turns
    ]
    last = next((one.get("text", "") for one in reversed(turns) if one["role"] == "user"), "")
    return RecordDraft(
        input=RecordInput((*prompt, Message("user", last or "Go on."))),
        output=RecordOutput((Message("assistant", row["generation"]),)),
        item={"want": last or "espresso", "people": row["reward"]},
    )


def _called(row: Json, gold: Json) -> RecordDraft:
    name, arguments = next(iter(gold["ground_truth"][0].items()))
    given = json.dumps({key: options[0] for key, options in arguments.items()})
    tools = tuple(tool_from_json({"type": "function", "function": one}) for one in row["function"])
    return RecordDraft(
        input=RecordInput((Message("user", row["question"][0][0]["content"]),), tools=tools),
        output=RecordOutput(
            (
                Message(
                    "assistant",
                    tool_calls=(ToolCall("function", "call_0", FunctionCall(name, given)),),
                ),
            )
        ),
        item={"want": name, "people": 1.0},
    )


def _lines(path: str) -> list[Json]:
    return [json.loads(line) for line in (data_folder() / path).read_text("utf-8").splitlines()]


def check(operation: str, **more: Any) -> Json:
    return {
        "type": "string_check",
        "name": operation,
        "input": "{{sample.output_text}}",
        "reference": "{{item.want}}",
        "operation": operation,
        **more,
    }


def similar(metric: str) -> Json:
    return {
        "type": "text_similarity",
        "name": metric,
        "input": "{{response}} {{toolCalls}}",
        "reference": "{{item.want}} {{lastUserMessage}}",
        "evaluation_metric": metric,
    }


SCRIPT: Json = {
    "type": "python",
    "name": "script",
    "source": """\
import json
import re


def grade(sample, item):
    text = sample["output_text"]
    if "\\u202e" in text:
        raise ValueError("strange")
    calls = [call["function"]["name"] for call in sample["output_tools"]]
    words = re.findall(r"\\w+", item["want"].lower())
    found = sum(word in text.lower() for word in words) / max(1, len(words))
    return found + 0.25 * (item["want"] in calls) + len(item["messages"]) / 1000 + len(text) / 7e5
""",
}
SCORE: Json = {
    "type": "score_model",
    "name": "score",
    "model": "judge-1",
    "input": [
        {"role": "system", "content": "Grade the answer."},
        {"role": "user", "content": "{{lastUserMessage}}\n{{response}} {{toolCalls}}"},
    ],
    "range": [0, 5],
}
LABEL: Json = {
    "type": "label_model",
    "name": "label",
    "model": "judge-1",
    "input": [{"role": "user", "content": "{{item.want}}\n{{response}}"}],
    "labels": ["good", "bad"],
    "passing_labels": ["good"],
}
OPERATIONS = ("eq", "ne", "like", "ilike")
METRICS = (
    "fuzzy_match", "bleu", "gleu", "meteor", "rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5",
    "rouge_l",
)  # fmt: skip
SCHEMA: Json = {
    "type": "string_check",
    "input": "{{sample.output_json.role}}",
    "reference": "agent",
    "operation": "eq",
    "name": "schema",
}


def multi(**graders: Json) -> Json:
    """A combination whose reward tells which part has changed."""
    weights = (f"{name} * {1 / (place + 3.7):.12f}" for place, name in enumerate(graders, 1))
    return {"type": "multi", "graders": graders, "calculate_output": " + ".join(weights)}


WITHOUT_MODELS: dict[str, Json] = {
    **{one: check(one) for one in OPERATIONS},
    **{one: similar(one) for one in METRICS},
    "python": SCRIPT,
    "schema": SCHEMA,
    "multi": multi(ilike=check("ilike"), rouge_l=similar("rouge_l"), script=SCRIPT),
}
"""Every type that asks no model, and every operation and metric."""

EVERYTHING = multi(
    **{one: check(one) for one in OPERATIONS}, **{one: similar(one) for one in METRICS}
)
