"""Graders in the public JSON form of hosted services, and what a grading gives."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from rft_widgets.errors import GraderInvalid
from rft_widgets.model.message import EXTRA

StringOperation = Literal["eq", "ne", "like", "ilike"]
SimilarityMetric = Literal[
    "fuzzy_match", "bleu", "gleu", "meteor", "rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5",
    "rouge_l", "cosine",
]  # fmt: skip
JudgeRole = Literal["system", "developer", "user", "assistant"]


class _Part(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    extra: dict[str, Any] = field(default_factory=dict, name=EXTRA)
    """Keys that this version does not know; they are kept and written back."""


class _Grader(_Part, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    name: str = ""
    """Shown in results; in a combination, the key counts instead."""


class StringCheck(_Grader, frozen=True, kw_only=True, omit_defaults=True, tag="string_check"):
    """1 if the input equals (``eq``), differs from (``ne``) or contains (``like``, and ``ilike``
    without regard to case) the reference, else 0.
    """  # noqa: D205

    input: str
    reference: str
    operation: StringOperation


class TextSimilarity(_Grader, frozen=True, kw_only=True, omit_defaults=True, tag="text_similarity"):
    """How similar two texts are, 0..1. ``cosine`` compares embeddings."""

    input: str
    reference: str
    evaluation_metric: SimilarityMetric
    pass_threshold: float | None = None


class SamplingParams(_Part, frozen=True, kw_only=True, omit_defaults=True):
    """How a judge model is sampled; the odd name of the token limit is the public one."""

    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    max_completions_tokens: int | None = None
    reasoning_effort: str | None = None


class JudgeMessage(_Part, frozen=True, kw_only=True, omit_defaults=True):
    """A message to a judge; its content is a template, a part, or a list of both."""

    role: JudgeRole
    content: str | dict[str, Any] | tuple[str | dict[str, Any], ...]
    type: Literal["message"] | None = None


class ScoreModel(_Grader, frozen=True, kw_only=True, omit_defaults=True, tag="score_model"):
    """A model that gives a number within ``range`` (0..1 unless set)."""

    model: str
    input: tuple[JudgeMessage, ...]
    range: tuple[float, float] | None = None
    sampling_params: SamplingParams | None = None
    pass_threshold: float | None = None


class LabelModel(_Grader, frozen=True, kw_only=True, omit_defaults=True, tag="label_model"):
    """A model that picks one of ``labels``: 1 if it is a passing one, else 0."""

    model: str
    input: tuple[JudgeMessage, ...]
    labels: tuple[str, ...]
    passing_labels: tuple[str, ...]
    sampling_params: SamplingParams | None = None


class PythonGrader(_Grader, frozen=True, kw_only=True, omit_defaults=True, tag="python"):
    """``def grade(sample, item) -> float`` in Python."""

    source: str
    image_tag: str | None = None


SingleGrader = StringCheck | TextSimilarity | ScoreModel | LabelModel | PythonGrader


class Multi(_Grader, frozen=True, kw_only=True, omit_defaults=True, tag="multi"):
    """Several graders and the formula over their keys that makes one reward of them."""

    graders: dict[str, SingleGrader]
    calculate_output: str


Grader = SingleGrader | Multi

GRADER_TYPES: Mapping[str, type[Grader]] = {
    "string_check": StringCheck,
    "text_similarity": TextSimilarity,
    "score_model": ScoreModel,
    "label_model": LabelModel,
    "python": PythonGrader,
    "multi": Multi,
}
"""The grader types by the name they have in JSON."""


def grader_type(grader: Grader) -> str:
    """Name of a grader's type in JSON."""
    return next(name for name, kind in GRADER_TYPES.items() if type(grader) is kind)


def reward_range(grader: Grader) -> tuple[float, float] | None:
    """Smallest and largest reward; ``None`` where code or a formula decides."""
    if isinstance(grader, ScoreModel):
        return grader.range or (0.0, 1.0)
    return None if isinstance(grader, (PythonGrader, Multi)) else (0.0, 1.0)


def grader_from_json(value: Any, where: str = "") -> Grader:
    """Read a grader from its JSON value: shape and types, no more.

    Keys that are not known are kept, except those that look like a known one misspelt.

    Raises
    ------
    GraderInvalid
        With the path of the fault.
    """
    return _read(value, where, nested=False)


def _read(value: Any, where: str, *, nested: bool) -> Grader:
    shaped = _shape(value, where, nested=nested)
    if shaped["type"] == "multi" and isinstance(shaped.get("graders"), Mapping):
        for name, inner in shaped["graders"].items():
            _read(inner, _at(where, f"graders.{name}"), nested=True)  # for the path of a fault
    try:
        return msgspec.convert(shaped, type=GRADER_TYPES[shaped["type"]], strict=True)
    except (msgspec.ValidationError, RecursionError) as error:
        message, _, path = str(error).partition(" - at `$")
        inside = path.rstrip("`").lstrip(".").replace("[...]", "")
        raise GraderInvalid(
            _plain(message), where=".".join(filter(None, (where, inside)))
        ) from None


def grader_to_json(grader: Grader) -> dict[str, Any]:
    """JSON value of a grader, as services take it."""
    merged = _merge(msgspec.to_builtins(grader))
    assert isinstance(merged, dict)  # noqa: S101 - a struct is an object
    return merged


_CHILDREN: Mapping[str, type[_Part]] = {"sampling_params": SamplingParams, "input": JudgeMessage}


def _shape(value: Any, where: str, *, nested: bool) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise GraderInvalid("a grader is a JSON object", where=where)
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in GRADER_TYPES:
        known = ", ".join(GRADER_TYPES)
        raise GraderInvalid(
            f"there is no grader type {kind!r}" if kind else "the grader's type is missing",
            where=_at(where, "type"),
            hint=f"Use one of {known}.",
        )
    if nested and kind == "multi":
        raise GraderInvalid("a combination cannot hold another combination", where=where)
    shaped = _split(value, GRADER_TYPES[kind], where)
    if kind == "multi" and isinstance(shaped.get("graders"), Mapping):
        shaped["graders"] = {
            name: _shape(inner, _at(where, f"graders.{name}"), nested=True)
            for name, inner in shaped["graders"].items()
        }
    if isinstance(shaped.get("sampling_params"), Mapping):
        shaped["sampling_params"] = _split(
            shaped["sampling_params"], SamplingParams, _at(where, "sampling_params")
        )
    if isinstance(shaped.get("input"), (list, tuple)):
        shaped["input"] = [
            _split(message, JudgeMessage, _at(where, f"input[{i}]"))
            if isinstance(message, Mapping)
            else message
            for i, message in enumerate(shaped["input"])
        ]
    return shaped


@functools.cache
def _keys(kind: type[Struct]) -> frozenset[str]:
    found = {field.encode_name for field in msgspec.structs.fields(kind)} - {EXTRA}
    return frozenset(found | {"type"} if issubclass(kind, _Grader) else found)


def _split(value: Mapping[str, Any], kind: type[Struct], where: str) -> dict[str, Any]:
    """Known keys as they are, the others under the reserved one."""
    known = _keys(kind)
    shaped: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for key, inner in value.items():
        if not isinstance(key, str):
            raise GraderInvalid("keys are text", where=where)
        if key in known:
            shaped[key] = inner
            continue
        close = difflib.get_close_matches(key, known - value.keys(), n=1, cutoff=0.85)
        if close:
            raise GraderInvalid(
                f"there is no key {key!r}", where=where, hint=f"Did you mean {close[0]!r}?"
            )
        extra[key] = inner
    return shaped | {EXTRA: extra} if extra else shaped


def _merge(value: Any) -> Any:
    if isinstance(value, dict):
        merged = {key: _merge(inner) for key, inner in value.items() if key != EXTRA}
        return merged | value[EXTRA] if EXTRA in value else merged
    return [_merge(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def _at(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _plain(message: str) -> str:
    words = {
        "Expected": "expected", "Object missing required field": "missing", "`str`": "text",
        "`int`": "a whole number", "`float`": "a number", "`array`": "a list",
        "`object`": "an object", "`null`": "nothing", "`bool`": "true or false",
    }  # fmt: skip
    for technical, plain in words.items():
        message = message.replace(technical, plain)
    return message


# What a grading gives


class GradingErrors(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a grading failed: the flags of hosted services, by their names on the wire."""

    formula_parse_error: bool = False
    sample_parse_error: bool = False
    truncated_observation_error: bool = False
    unresponsive_reward_error: bool = False
    invalid_variable_error: bool = False
    other_error: bool = False
    python_grader_server_error: bool = False
    python_grader_server_error_type: str | None = None
    python_grader_runtime_error: bool = False
    python_grader_runtime_error_details: str | None = None
    model_grader_server_error: bool = False
    model_grader_server_error_details: str | None = None
    model_grader_refusal_error: bool = False
    model_grader_parse_error: bool = False

    @property
    def any(self) -> bool:
        """Whether any flag is set."""
        return any(value is True for value in msgspec.structs.asdict(self).values())

    def union(self, other: GradingErrors) -> GradingErrors:
        """The flags of both; of two details, the first."""
        mine, theirs = msgspec.structs.asdict(self), msgspec.structs.asdict(other)
        return GradingErrors(**{name: mine[name] or theirs[name] for name in mine})


class GradingMetadata(Struct, frozen=True, kw_only=True):
    """How a reward came about.

    ``out_of_range`` says that the reward lies outside 0..1, which services allow. ``isolation``
    says what confined the code of a script grader; ``none`` means an operator's override.
    """

    name: str
    type: str
    execution_time: float
    """In seconds."""
    scores: dict[str, float | None] = field(default_factory=dict)
    token_usage: int | None = None
    sampled_model_name: str | None = None
    errors: GradingErrors = GradingErrors()
    out_of_range: bool = False
    isolation: str | None = None


class GradingResult(Struct, frozen=True, kw_only=True):
    """One grading. A failed one has no reward: it is not a zero, as it is for hosted services.

    ``error`` says in one line why it failed. ``reasoning`` is what a judge gave as its reason.
    """

    reward: float | None
    metadata: GradingMetadata
    sub_rewards: dict[str, float | None] = field(default_factory=dict)
    model_grader_token_usage_per_model: dict[str, int] = field(default_factory=dict)
    reasoning: str | None = None
    error: str | None = None

    @property
    def failed(self) -> bool:
        """Whether there is no reward, so that statistics leave it out."""
        return self.reward is None


# Numbers


class SandboxLimits(Struct, frozen=True, kw_only=True):
    """What the code of a script grader may cost."""

    max_source_bytes: int = 256 * 1024
    """Longest source."""
    timeout_s: float = 2.0
    """Wall time of one sample."""
    load_timeout_s: float = 5.0
    """Wall time of checking a source, and of running it up to its functions."""
    memory_bytes: int = 1 << 30
    """Address space of a worker."""
    max_sample_bytes: int = 16 << 20
    """Largest sample and item together, as JSON."""
    samples_per_worker: int = 200
    """Samples after which a worker is replaced by a fresh one."""
    workers: int = 2
    """Workers of one grader at a time."""


class JudgeDefaults(Struct, frozen=True, kw_only=True):
    """How a judge is asked unless its grader says otherwise."""

    temperature: float = 0.0
    max_tokens: int = 256
    """Longest answer, its reasoning included."""
    reasks: int = 1
    """Times that a judge whose answer cannot be read is asked again, with the fault said."""
    fenced: bool = True
    """Whether what records and answers say stands between marks, as data."""
    expected_tokens: int = 120
    """Tokens of an answer, for estimates."""
    most_repeats: int = 9
    """Times that a panel asks each of its judges at most."""


SANDBOX = SandboxLimits()
JUDGE = JudgeDefaults()
