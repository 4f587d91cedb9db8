"""What prompts have in common: the text that all variants share, with gaps for what differs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from difflib import SequenceMatcher
from itertools import takewhile

GAP = "{…}"
"""Stands for what differs."""

MIN_WORDS = 5
"""Fewest words that a template has apart from its gaps."""

MIN_PREFIX_TOKENS = 8
"""Prompts that begin alike for so long are variants of each other, however they go on."""

MIN_SIMILARITY = 0.5
"""Share of tokens in common (0..1) that makes prompts with different beginnings variants."""

MAX_NEAR_TOKENS = 12
MIN_FAR_TOKENS = 4
"""Tokens in a row that texts must share between gaps: two, and more after a gap that is long."""

MAX_SEEDS = 3
MAX_VARIANTS = 64
MAX_TOKENS = 2_000

_TOKEN = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")
_END_OF_GAP = re.compile(r"\s*\Z")


def find_template(prompts: Sequence[tuple[str, int]]) -> tuple[str, Callable[[str], bool]] | None:
    """Find the template that covers most of the prompts, weighted by their counts.

    Parameters
    ----------
    prompts
        Prompts with their counts, the most frequent first.

    Returns
    -------
    tuple or None
        The template's text, and a check of whether a prompt is one of its variants; ``None`` if no
        two prompts have enough in common.
    """
    tokens = [_tokens(text) for text, _ in prompts[:MAX_VARIANTS]]
    best: tuple[int, int, str, Callable[[str], bool]] | None = None
    for seed in tokens[:MAX_SEEDS]:
        pieces = _common(seed, tokens)
        if pieces is None:
            continue
        covers = _coverage(pieces)
        text = "".join(pieces)
        weight = sum(count for prompt, count in prompts if covers(prompt))
        found = (weight, len(text), text, covers)
        if best is None or found[:3] > best[:3]:
            best = found
    return None if best is None else (best[2], best[3])


def _tokens(text: str) -> list[str]:
    tokens = _TOKEN.findall(text)
    return tokens if len(tokens) <= MAX_TOKENS else [*tokens[:MAX_TOKENS], GAP]


def _common(seed: list[str], others: Iterable[list[str]]) -> list[str] | None:
    """Tokens that the seed and its variants share, with gaps; ``None`` if that is too little."""
    skeleton = seed
    for other in others:
        if other is not seed and _are_variants(skeleton, other):
            skeleton = _merged(skeleton, other)
    words = sum(token[0].isalnum() for token in skeleton if not token.startswith(GAP))
    has_gap = any(token.startswith(GAP) for token in skeleton)
    return skeleton if has_gap and words >= MIN_WORDS else None


def _are_variants(one: list[str], other: list[str]) -> bool:
    alike = sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    )
    if alike >= MIN_PREFIX_TOKENS:
        return True
    shared = (Counter(one) & Counter(other)).total()
    return 2 * shared >= MIN_SIMILARITY * (len(one) + len(other))


def _merged(skeleton: list[str], other: list[str]) -> list[str]:
    start = 0
    while start < min(len(skeleton), len(other)) and skeleton[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(skeleton), len(other)) - start and skeleton[-1 - end] == other[-1 - end]:
        end += 1
    middle = skeleton[start : len(skeleton) - end]
    against = other[start : len(other) - end]
    merged = skeleton[:start]
    done = 0
    matcher = SequenceMatcher(None, middle, against, autojunk=False)
    last = 0
    for block in matcher.get_matching_blocks():
        is_end = block.size == 0
        near = max(block.a - done, block.b - last) <= MAX_NEAR_TOKENS
        if not is_end and block.size < (2 if near else MIN_FAR_TOKENS):
            continue  # alike by chance
        if block.a > done or block.b > last:
            merged.append(_gap(middle[done : block.a]))
        merged += middle[block.a : block.a + block.size]
        done, last = block.a + block.size, block.b + block.size
    merged += skeleton[len(skeleton) - end :]
    return [
        token
        for i, token in enumerate(merged)
        if not (token.startswith(GAP) and i + 1 < len(merged) and merged[i + 1].startswith(GAP))
    ]


def _gap(left_out: list[str]) -> str:
    space = _END_OF_GAP.search(left_out[-1]) if left_out else None
    return GAP + (space.group() if space else "")


def _coverage(tokens: list[str]) -> Callable[[str], bool]:
    """Check that a prompt holds the fixed pieces of a template, in their order."""
    pieces = [""]
    for token in tokens:
        if token.startswith(GAP):
            pieces.append("")
        else:
            pieces[-1] += token
    # The spaces around a gap belong to what fills it.
    first, inner, last = (
        pieces[0].rstrip(),
        [each.strip() for each in pieces[1:-1]],
        pieces[-1].strip(),
    )

    def covers(prompt: str) -> bool:
        if not prompt.startswith(first) or len(prompt) < len(first) + len(last):
            return False
        place = len(first)
        for piece in inner:
            found = prompt.find(piece, place)
            if found < 0:
                return False
            place = found + len(piece)
        rest = prompt[place:].rstrip() if last else ""
        return rest.endswith(last)

    return covers
