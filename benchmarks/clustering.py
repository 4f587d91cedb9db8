"""Find topics in the questions of a file in this process, and print what it cost, as JSON.

``package`` finds and assigns them as the package does, ``plain`` as a person would by hand. A
process of its own, so that CPU time and memory are those of this and of nothing before it.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import orjson

from benchmarks.load import cpu_s, peak_bytes
from rft_widgets.model.message import Message
from rft_widgets.steps.topics.features import topic_text

TOPICS = 20
"""Topics that the generated file has."""


def questions(jsonl: Path, count: int) -> Iterator[tuple[str, str]]:
    """Topic text and true topic of up to so many records."""
    with jsonl.open("rb") as file:
        yield from itertools.islice(_questions(file), count)


def _questions(lines: Iterator[bytes]) -> Iterator[tuple[str, str]]:
    for line in lines:
        try:
            value = orjson.loads(line)
            said = [(one["role"], one["content"] or "") for one in value["messages"]]
            topic = value["topic"]
        except (ValueError, KeyError, TypeError):
            continue
        messages = [Message(role=role, content=text) for role, text in said if role == "user"]
        if messages:
            yield topic_text(messages), topic


def package(texts: Iterator[str]) -> list[str]:
    """Topic of each text by the package, in one pass to fit and one to assign."""
    from rft_widgets.steps.topics.auto import fit_topics

    kept = list(texts)
    model = fit_topics(kept, n_topics=TOPICS, depth=1)
    return [one.topic or "" for one in model.assign((str(i), text) for i, text in enumerate(kept))]


def plain(texts: Iterator[str]) -> list[str]:
    """Topic of each text by scikit-learn with its defaults."""
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.feature_extraction.text import TfidfVectorizer

    rows = TfidfVectorizer().fit_transform(texts)
    found = MiniBatchKMeans(TOPICS, n_init=3, random_state=0).fit_predict(rows)
    return [str(one) for one in found.tolist()]


def main(how: str, jsonl: Path, count: int) -> dict[str, float]:
    """Read, find, assign, and compare with the truth; only finding and assigning is timed."""
    pairs = list(questions(jsonl, count))
    texts, truth = [text for text, _ in pairs], [topic for _, topic in pairs]
    del pairs
    start, cpu = time.perf_counter(), cpu_s()
    found = {"package": package, "plain": plain}[how](iter(texts))
    wall, cpu = time.perf_counter() - start, cpu_s() - cpu
    peak = peak_bytes()
    from sklearn.metrics import normalized_mutual_info_score

    nmi = float(normalized_mutual_info_score(truth, found))
    return {"texts": len(texts), "wall_s": wall, "cpu_s": cpu, "peak_bytes": peak, "nmi": nmi}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))))
