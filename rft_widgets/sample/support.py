"""Sample traffic of a support assistant, as records, as gateway exports, and as files of both.

Everything follows from the seed: two machines make the same bytes. Topics, intents and the quality
of answers are known, and kept in the metadata (``true_topic``, ``true_intent``, ``true_quality``,
``true_tool_flaw``) so that what is found in the data can be judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.sample.dialogues import Dialogue, compact, dialogues
from rft_widgets.sample.flaws import REFUSED, flawed_lines
from rft_widgets.sample.spans import exports, truths

SEED = 7
CONVERSATIONS = 640


class SampleFile(Struct, frozen=True, kw_only=True):
    """A file that was written, and what a reader has to find in it.

    ``counts`` of chat JSONL: ``valid``, ``invalid``, ``duplicates`` (among the invalid) and
    ``refused`` lines. Of OTLP: ``traces``, ``threads``, ``other_spans``, and lost calls by the
    code of their loss.
    """

    path: Path
    lines: int
    counts: dict[str, int]


def sample_records(seed: int = SEED, n: int = CONVERSATIONS) -> list[dict[str, Any]]:
    """Make chat records, one a conversation, all of them valid.

    Each ends with the agent's last answer. Beside ``messages``, ``tools``, ``id`` and ``metadata``
    it has the fields for graders: ``reference_answer``, ``required_facts`` (texts that a good
    answer holds word for word), ``forbidden`` (texts that it must not hold), ``expected_tool`` and
    ``expected_arguments`` (the call that the answer should make, else ``None``).

    Parameters
    ----------
    seed
        Another seed makes other conversations.
    n
        How many.
    """
    return [_record(dialogue) for dialogue in dialogues(seed, n)]


def sample_spans(seed: int = SEED, n: int = CONVERSATIONS) -> Iterator[dict[str, Any]]:
    """Make the same conversations as OTLP-JSON exports, one for each turn.

    Here every model call of a conversation is a span, with the fields for graders in the attribute
    ``rft.item``. There are also failed calls, calls without content, embeddings, and spans of
    agents, tools and HTTP.

    Parameters
    ----------
    seed, n
        As in `sample_records`.
    """
    for export in exports(dialogues(seed, n), seed):
        yield export.value


def write_sample(
    path: str | Path,
    format: Literal["otlp", "jsonl"] = "otlp",  # noqa: A002 - what it is called everywhere
    *,
    seed: int = SEED,
    n: int = CONVERSATIONS,
) -> SampleFile:
    """Write the sample to a file of JSON lines.

    Parameters
    ----------
    path
        Where to; an existing file is replaced.
    format
        ``"otlp"`` for the exports of `sample_spans`, ``"jsonl"`` for the chat records of
        `sample_records` with 3 % of lines that are flawed as in real files.
    seed, n
        As in `sample_records`.

    Raises
    ------
    InvalidArgument
        If there is no such format.
    """
    if format == "otlp":
        lines, counts = _otlp_lines(seed, n)
    elif format == "jsonl":
        lines, counts = _chat_lines(seed, n)
    else:
        raise InvalidArgument(f"There is no format {format!r}.", hint="Use 'otlp' or 'jsonl'.")
    # A last line that is truncated has no end of line either.
    is_truncated = counts["refused"] == len(REFUSED)
    target = Path(path)
    target.write_bytes(("\n".join(lines) + ("" if is_truncated else "\n")).encode())
    return SampleFile(path=target, lines=len(lines), counts=dict(counts))


def _record(dialogue: Dialogue) -> dict[str, Any]:
    step = dialogue.steps[-1]
    record: dict[str, Any] = {
        "id": dialogue.id,
        "messages": [*step.messages, step.output],
    }
    if dialogue.tools:
        record["tools"] = list(dialogue.tools)
    record["metadata"] = {
        "thread_id": f"conv_{dialogue.id}",
        "channel": dialogue.channel,
        "model": dialogue.model,
        "created_at": step.at.isoformat(timespec="seconds"),
        **truths(dialogue, step),
    }
    return record | step.item


def _otlp_lines(seed: int, n: int) -> tuple[list[str], Counter[str]]:
    found = exports(dialogues(seed, n), seed)
    counts: Counter[str] = Counter(threads=n)
    for export in found:
        counts.update(export.counts)
    return [compact(export.value) for export in found], counts


def _chat_lines(seed: int, n: int) -> tuple[list[str], Counter[str]]:
    records = sample_records(seed, n)
    flaws = flawed_lines(records, seed)
    lines = [compact(record) for record in records]
    for position, _, line in reversed(flaws):
        lines.insert(position, line)
    refused = sum(name in REFUSED for _, name, _ in flaws)
    return lines, Counter(
        valid=n,
        invalid=len(flaws) - refused,
        duplicates=sum(name == "duplicate" for _, name, _ in flaws),
        refused=refused,
    )
