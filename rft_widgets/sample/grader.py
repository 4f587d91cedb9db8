"""The grader of the sample: what a good answer of the support assistant is."""

from __future__ import annotations

from typing import Any

_SOURCE = '''\
"""Reward of one answer of Larkfell's support assistant, 0..1.

Words: the share of the required facts that it states, less a half for each forbidden phrase, less
for an answer so long that nobody reads it. A tool call where none is due is worth nothing.
Tool call: 0.4 for the right tool, 0.5 for its arguments, 0.1 for saying what is being looked up.
"""

import json
import re
import unicodedata

BRIEF_WORDS = 60      # the longest answer that counts as brief
ENDLESS_WORDS = 300   # from here on an answer is a dump, whatever it holds
LONG_COST = 0.5       # what is lost on the way from brief to endless


def plain(text):
    text = unicodedata.normalize("NFKC", str(text)).casefold()
    text = text.replace("\\u2019", "'")
    return " ".join(text.split())


def states(text, phrase):
    """Whether the phrase stands in the text as whole words: "5 days" is not in "15 days"."""
    phrase = plain(phrase)
    if not phrase:
        return False
    return re.search(r"(?<![\\w.,])" + re.escape(phrase) + r"(?!\\w)", text) is not None


def share(found):
    found = list(found)
    return sum(found) / len(found) if found else 1.0


def arguments_of(call):
    try:
        value = json.loads(call["function"]["arguments"])
    except (KeyError, TypeError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def grade_call(text, calls, item):
    if len(calls) != 1:
        return 0.0
    function = calls[0].get("function") or {}
    if function.get("name") != item["expected_tool"]:
        return 0.0
    expected = item.get("expected_arguments") or {}
    given = arguments_of(calls[0])
    right = share(plain(given.get(key, "")) == plain(value) for key, value in expected.items())
    extra = sum(key not in expected for key in given)
    facts = share(states(text, fact) for fact in item.get("required_facts") or [])
    return 0.4 + 0.5 * right / (1 + extra) + 0.1 * facts


def grade(sample, item):
    text = plain(sample["output_text"] or "")
    calls = sample["output_tools"] or []
    forbidden = sum(states(text, phrase) for phrase in item.get("forbidden") or [])
    if item.get("expected_tool"):
        score = grade_call(text, calls, item)
    elif calls or not text:
        return 0.0
    else:
        score = share(states(text, fact) for fact in item.get("required_facts") or [])
    words = len(text.split())
    if words >= ENDLESS_WORDS:
        return 0.0
    excess = max(0, words - BRIEF_WORDS) / (ENDLESS_WORDS - BRIEF_WORDS)
    return round(max(0.0, score - 0.5 * forbidden) * (1 - LONG_COST * excess), 6)
'''


def sample_grader() -> dict[str, Any]:
    """Make the sample's grader, in the public grader JSON.

    Facts count most. They alone are nearly all or nothing, which teaches slowly; how near the words
    are to those of a good answer, and their order, make the steps between.
    """
    return {
        "type": "multi",
        "name": "support_answer",
        "graders": {
            "facts": facts_grader(),
            "wording": _nearness("wording", "fuzzy_match"),
            "phrases": _nearness("phrases", "rouge_l"),
        },
        "calculate_output": "0.5 * facts + 0.25 * wording + 0.25 * phrases",
    }


def facts_grader() -> dict[str, Any]:
    """Make the part that checks facts and tool calls: a script.

    It reads ``required_facts``, ``forbidden``, ``expected_tool`` and ``expected_arguments`` of the
    item, and nothing that tells how the sample was made.
    """
    return {"type": "python", "name": "facts", "source": _SOURCE}


def _nearness(name: str, metric: str) -> dict[str, Any]:
    return {
        "type": "text_similarity",
        "name": name,
        "input": "{{ sample.output_text }}",
        "reference": "{{ item.reference_answer }}",
        "evaluation_metric": metric,
    }
