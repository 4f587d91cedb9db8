"""Similarity against the libraries whose formulas it states."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.stem.porter import PorterStemmer
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from nltk.translate.gleu_score import sentence_gleu
from nltk.translate.meteor_score import meteor_score
from rapidfuzz import fuzz, utils
from rouge_score.rouge_scorer import RougeScorer

from rft_widgets.errors import GraderInvalid
from rft_widgets.graders import Sample, compile_grader
from rft_widgets.graders.metrics import METRICS, bleu, gleu, meteor
from rft_widgets.graders.porter import stem

VOCABULARY = (
    "the cat cats sat sitting on a mat mats it is guide to action which ensures that military "
    "always obeys the commands of party The Party dying relational happily 42 x. flies running"
)
SUFFIXES = (
    "s es ies sses ed eed ied ing y e ll ational tional izer bli alli logi fulli ness ical icate "
    "ative ful ion sion tion ment ement ent ous ive ize ance ence able"
)
WORDS = st.sampled_from(VOCABULARY.split())
SENTENCES = st.lists(WORDS, max_size=25).map(" ".join)
PAIRS = st.tuples(SENTENCES, SENTENCES) | SENTENCES.map(lambda s: (s, s))

TEXT = (
    "It is a guide to action which ensures that the military always obeys the commands of the party"
)
REFERENCE = (
    "It is a guide to action that ensures that the military will forever heed Party commands"
)


class NoSynonyms:
    """WordNet without a word: the stage that is left out here."""

    @staticmethod
    def synsets(_word: str) -> list[object]:
        return []


@given(PAIRS)
def test_bleu_is_nltk_with_smoothing_1(pair: tuple[str, str]) -> None:
    text, reference = pair
    expected = (
        sentence_bleu(
            [reference.split()], text.split(), smoothing_function=SmoothingFunction().method1
        )
        if text and reference
        else 0.0
    )
    assert bleu(text, reference) == pytest.approx(expected, abs=1e-12)


@given(PAIRS)
def test_gleu_is_nltk(pair: tuple[str, str]) -> None:
    text, reference = pair
    expected = sentence_gleu([reference.split()], text.split())
    assert gleu(text, reference) == pytest.approx(expected, abs=1e-12)


@given(PAIRS)
def test_meteor_is_nltk_without_synonyms(pair: tuple[str, str]) -> None:
    text, reference = pair
    expected = meteor_score([reference.split()], text.split(), wordnet=NoSynonyms())  # type: ignore[arg-type]
    assert meteor(text, reference) == pytest.approx(expected, abs=1e-12)


@given(
    st.tuples(
        st.text("abcdeilnosty", max_size=7),
        st.lists(
            st.sampled_from(SUFFIXES.split()),
            max_size=3,
        ),
    )
)
def test_stems_are_nltk(parts: tuple[str, list[str]]) -> None:
    word = parts[0] + "".join(parts[1])
    assert stem(word) == PorterStemmer().stem(word)


@given(pair=PAIRS, name=st.sampled_from(["1", "2", "3", "4", "5", "L"]))
def test_rouge_is_rouge_score(pair: tuple[str, str], name: str) -> None:
    text, reference = pair
    expected = RougeScorer([f"rouge{name}"]).score(reference, text)[f"rouge{name}"].fmeasure
    assert METRICS[f"rouge_{name.lower()}"](text, reference) == pytest.approx(expected, abs=1e-12)


def test_fuzzy_match_is_rapidfuzz() -> None:
    for text, reference in (
        (TEXT, REFERENCE),
        ("Paris", "paris!"),
        ("", ""),
        ("", "x"),
        ("ab", "ba"),
    ):
        expected = fuzz.WRatio(text, reference, processor=utils.default_process) / 100
        assert METRICS["fuzzy_match"](text, reference) == expected


def test_known_values() -> None:
    assert METRICS["meteor"](TEXT, REFERENCE) == pytest.approx(0.6944, abs=2e-3)
    assert METRICS["rouge_1"]("the cat sat", "the cat") == pytest.approx(0.8)


@pytest.mark.parametrize("name", METRICS)
@given(text=st.text(max_size=60), reference=st.text(max_size=60))
def test_any_text_scores_within_0_and_1_or_fails(name: str, text: str, reference: str) -> None:
    grader = {
        "type": "text_similarity", "input": "{{response}}", "reference": "{{item.r}}",
        "evaluation_metric": name,
    }  # fmt: skip
    result = compile_grader(grader).grade(Sample(output_text=text), {"r": reference})
    if result.failed:
        assert name.startswith("rouge")
        assert result.metadata.errors.other_error
    else:
        assert result.reward is not None
        assert 0.0 <= result.reward <= 1.0


@pytest.mark.parametrize("name", METRICS)
def test_equal_texts_are_alike(name: str) -> None:
    score = METRICS[name](TEXT, TEXT)
    assert score == pytest.approx(1.0, abs=1e-3)


def test_rouge_says_when_it_cannot_see_a_reference() -> None:
    grader = {
        "type": "text_similarity", "input": "{{response}}", "reference": "{{item.r}}",
        "evaluation_metric": "rouge_l",
    }  # fmt: skip
    result = compile_grader(grader).grade(Sample(output_text="東京"), {"r": "東京"})
    assert result.failed
    assert "a-z" in str(result.error)


COSINE = {
    "type": "text_similarity", "input": "{{response}}", "reference": "{{item.r}}",
    "evaluation_metric": "cosine",
}  # fmt: skip


def test_cosine_needs_embeddings() -> None:
    with pytest.raises(GraderInvalid, match="embedding") as caught:
        compile_grader(COSINE)
    assert caught.value.where == "evaluation_metric"


def test_cosine_with_embeddings_and_their_failures() -> None:
    vectors = {"east": [1.0, 0.0], "north": [0.0, 2.0], "west": [-1.0, 0], "zero": [0.0, 0.0],
               "north-east": [1, 1], "long": [1.0, 0, 0]}  # fmt: skip
    grader = compile_grader(COSINE, embed=lambda texts: [vectors[text] for text in texts])

    def score(text: str, reference: str) -> float | None:
        return grader.grade(Sample(output_text=text), {"r": reference}).reward

    assert score("east", "east") == 1.0
    assert score("east", "north-east") == pytest.approx(0.7071, abs=1e-4)
    assert score("east", "north") == 0.0
    assert score("east", "west") == 0.0
    assert score("east", "zero") is None
    assert score("east", "long") is None
    unknown = grader.grade(Sample(output_text="nowhere"), {"r": "east"})
    assert unknown.failed
    assert unknown.metadata.errors.model_grader_server_error
