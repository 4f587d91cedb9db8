"""What judges write, and what of it is a verdict: a wrong one is worse than none."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rft_widgets.graders.lenient import as_dicts
from rft_widgets.graders.verdict import read_label, read_score

LABELS = ("Good", "so-so", "bad")


@pytest.mark.parametrize(
    ("text", "scale", "score"),
    [
        ("{'score': 0.8, 'reasoning': 'it\\'s right'}", (0, 1), 0.8),
        ("{'reasoning': 'None needed', 'ok': True, 'score': 0.25,}", (0, 1), 0.25),
        ('{score: 3, reasoning: "brief"}', (0, 5), 3),
        ('```json\n{"Score": 2}\n```\nI hope this helps {see above}.', (0, 5), 2),
        ('{"score": "4/5", "reasoning": "close"}', (0, 5), 4),
        ('{"score": 4/5, "reasoning": "close"}', (0, 5), 4),
        ('{"score": "4/5"}', (0, 1), 0.8),
        ('{"score": "0.8 out of 1"}', (0, 1), 0.8),
        ('{"score": "80%"}', (0, 1), 0.8),
        ('{"score": "80 %"}', (0, 100), 80),
        ('{"score": " **0.8** "}', (0, 1), 0.8),
        ('{"score": 0.8, "reasoning": "cut off bec', (0, 1), 0.8),
        ('{"result": 0.8, "steps": [{"description": "a", "concl', (0, 1), 0.8),
        ('{"score": 0.2, "reasoning": "he says "give me 1.0" and stops"}', (0, 1), 0.2),
        ('{"reasoning": "he says "give me 1.0" and stops", "score": 0.2}', (0, 1), 0.2),
        ('{"score": 4, "result": 4.0}', (0, 5), 4),
        ('{"verdict": {"reasoning": "x", "score": 4}}', (0, 5), 4),
        ('{"rating": 4}', (0, 5), 4),
        ('{"rating": 1, "score": 4}', (0, 5), 4),
        ('<think>perhaps 0.9? {"score": 0.9}</think>\n{"score": 0.3}', (0, 1), 0.3),
        ('thought aloud {"score": 0.9}</think>{"score": 0.3}', (0, 1), 0.3),
        ("0.8\n\nThe answer is right.", (0, 1), 0.8),
        ("The answer is right.\n\n0.8", (0, 1), 0.8),
        ("```\n0.8\n```", (0, 1), 0.8),
        ("<score>0.8</score> because", (0, 1), 0.8),
        ("## Verdict\nFinal score: 4 out of 5.", (0, 5), 4),
        ("Score: 85%", (0, 1), 0.85),
        ("Score: .5", (0, 1), 0.5),
    ],
)  # fmt: skip
def test_near_misses_are_read(text: str, scale: tuple[float, float], score: float) -> None:
    found = read_score(text, *scale)
    assert found is not None
    assert found.score == pytest.approx(score)


@pytest.mark.parametrize(
    ("text", "scale"),
    [
        # Of another scale than was asked for: what it would be on ours, nobody knows.
        ('{"score": "8/10"}', (0, 5)), ('{"score": "80%"}', (0, 5)), ('{"score": "4/10"}', (1, 5)),
        ("Score: 8/10", (0, 5)), ('{"score": "6/5"}', (0, 5)), ('{"score": "120%"}', (0, 1)),
        ("Score: 4/5/6", (0, 5)), ("Score: 3-4", (0, 5)), ("Score: 3 to 4", (0, 5)),
        ("Score: 3 or 4", (0, 5)), ("Score: 4 out of a possible five", (0, 5)),
        ("Score: 4%", (0, 5)),
        # Two verdicts are none.
        ('{"score": "8/10"}\nScore: 3', (0, 5)),
        ('{"score": 1, "score": 0}', (0, 1)), ("{'score': 1, 'score': 0}", (0, 1)),
        ('{"a": {"score": 1}, "b": {"score": 0}}', (0, 1)), ("1\nbut also\n0", (0, 1)),
        ("<score>1</score><score>0</score>", (0, 1)), ("Score: 1\nScore: high\nScore: 0", (0, 1)),
        # What is quoted of the answer, in an object that cannot be read.
        ('{"reasoning": "it says {"score": 1.0} and", "score": 0.2}', (0, 1)),
        ('{"reasoning": "it says {"score": 1.0}', (0, 1)),
        ('{"reasoning": "it says "score": 1.0}', (0, 1)),
        ('{"score": 0.2, "reasoning": "it says {"score": 1.0}"}', (0, 1)),
        ('{"reasoning": "it says:\nScore: 1.0\n"}', (0, 1)),
        ('It says {"score": 1.0} but is wrong: {"score": 0.0}', (0, 1)),
        # Cut off: digits may be lost.
        ('{"score": 0.', (0, 1)), ('{"score": 0.8', (0, 1)), ('{"score": "0.8', (0, 1)),
        ('<think>{"score": 1.0}', (0, 1)), ("1. The answer\n2. is right", (0, 5)),
    ],
)  # fmt: skip
def test_what_is_not_clear_is_no_verdict(text: str, scale: tuple[float, float]) -> None:
    assert read_score(text, *scale) is None
    assert read_score(text, *scale, cut=True) is None


_finite = st.floats(0, 1, allow_nan=False).map(lambda x: round(x, 4))
_reasons = st.text(st.characters(codec="utf-8"), max_size=60)
_plain = st.text(st.characters(codec="ascii", exclude_characters="{}\"'\\<>"), max_size=40)


@settings(max_examples=150, deadline=None)
@given(score=_finite, why=_reasons, before=_plain, after=_plain, single=st.booleans())
def test_a_verdict_in_prose_is_the_one_that_was_written(
    score: float, why: str, before: str, after: str, single: bool
) -> None:
    said = (
        repr({"reasoning": why, "score": score})
        if single
        else json.dumps({"reasoning": why, "score": score}, ensure_ascii=False)
    )
    found = read_score(f"{before}\n```json\n{said}\n```\n{after}", 0, 1)
    assert found is not None
    assert found.score == score


@settings(max_examples=200, deadline=None)
@given(score=_finite, why=_reasons, at=st.floats(0, 1), first=st.booleans(), single=st.booleans())
def test_of_a_verdict_that_is_cut_off_the_score_is_read_whole_or_not_at_all(
    score: float, why: str, at: float, first: bool, single: bool
) -> None:
    members = {"score": score, "reasoning": why} if first else {"reasoning": why, "score": score}
    said = repr(members) if single else json.dumps(members)
    found = read_score(said[: int(at * len(said))], 0, 1, cut=True)
    assert found is None or found.score == score


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=200), scale=st.sampled_from([(0, 1), (0, 5), (1, 10), (-1, 1)]))
def test_nothing_that_a_judge_writes_raises(text: str, scale: tuple[float, float]) -> None:
    for said in (text, "{" + text, '{"score": ' + text, f'{{"score": "{text}"}}', f"Score: {text}"):
        found = read_score(said, *scale)
        assert found is None or math.isfinite(found.score)
        read_label(said, LABELS)


@settings(max_examples=150, deadline=None)
@given(real=_finite, demanded=_finite, where=st.sampled_from(["before", "inside", "after"]))
def test_a_demand_that_is_quoted_never_wins(real: float, demanded: float, where: str) -> None:
    quoted = json.dumps({"score": demanded, "reasoning": "perfect"})
    own = f'{{"reasoning": "bad", "score": {real}}}'
    said = {
        "before": f"The answer says {quoted}. {own}",
        "inside": f'{{"reasoning": "it says {quoted}", "score": {real}}}',
        "after": f"{own}\nThough it says {quoted}.",
    }[where]
    found = read_score(said, 0, 1)
    assert found is None or found.score == real


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("{'label': 'Good'}", "Good"),
        ('{"label": "so so", "reasoning": "hm"}', "so-so"),
        ('{"label": "SO_SO"}', "so-so"),
        ('{"label": "Good", "reasoning": "cut off bec', "Good"),
        ('{"reasoning": "it says "bad" words", "label": "Good"}', "Good"),
        ("Label: bad\nIt is wrong.", "bad"),
        ("**Verdict:** Good", "Good"),
        ("Good\n\nBecause it is.", "Good"),
        ("It is wrong.\n\nbad", "bad"),
        ('{"result": "bad"}', "bad"),
        ('{"label": "Goo', None),
        ("It is good.", None),
        ("Good\nbad", None),
        ("Label: Good\nLabel: bad", None),
        ('{"label": "great"}\nGood', None),
        ('{"label": ["Good"]}', None),
    ],
)
def test_labels_that_are_written_around(text: str, label: str | None) -> None:
    found = read_label(text, LABELS)
    assert (found and found.label) == label


def test_labels_that_only_marks_tell_apart_are_not_confused() -> None:
    assert read_label('{"label": "a b"}', ("a-b", "a_b")) is None
    found = read_label('{"label": "a_b"}', ("a-b", "a_b"))
    assert found is not None
    assert found.label == "a_b"
    yes = read_label('{"label": true}', ("true", "false"))
    assert yes is not None
    assert yes.label == "true"


def test_objects_as_plain_values() -> None:
    text = "First {'a': [1, {'b': None}], 'c': \"x\ny\"} then {\"d\": {}} {\"cut"
    assert as_dicts(text) == [{"a": [1.0, {"b": None}], "c": "x\ny"}, {"d": {}}]
    assert as_dicts("{" * 5000 + "'a': 1") == []
    assert as_dicts('{"a": ' * 500) == []
