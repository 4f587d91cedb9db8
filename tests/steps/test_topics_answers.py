"""Topics of short messages: courtesies left out, answers as a second view, names that read well."""

from __future__ import annotations

import random

import pytest

import rft_widgets as rft
from rft_widgets.sample.support import write_sample
from rft_widgets.steps.topics.answers import answer_text
from rft_widgets.steps.topics.auto import fit_topics
from rft_widgets.steps.topics.features import topic_text
from rft_widgets.steps.topics.naming import describe_groups
from rft_widgets.steps.topics.words import without_courtesies

WAYS = {
    "refund": ["where is my money", "pay back the purchase", "refund please for the order"],
    "login": ["cannot sign in", "password is forgotten", "the account is locked"],
    "delivery": ["when does the parcel come", "track the shipment", "courier is late"],
}
PEOPLE = ["Ben", "Eva"]
COLOURS = ["red", "green", "blue", "black", "white", "grey", "pink", "brown"]
ANSWERS = {
    "refund": "The refund goes back to your bank within five days.",
    "login": "Reset the password with the link in our mail.",
    "delivery": "The courier delivers on the next working day.",
}


def asked(times: int = 4) -> tuple[list[str], list[str], list[str]]:
    """Questions about a thing of some colour, answers, and what they are about."""
    rows = [
        (f"{way}, {colour} {colour} {colour} jacket number {n}", ANSWERS[kind], kind)
        for n in range(times)
        for kind, ways in WAYS.items()
        for way in ways
        for colour in COLOURS
    ]
    random.Random(0).shuffle(rows)
    texts, answers, kinds = zip(*rows, strict=True)
    return list(texts), list(answers), list(kinds)


def nmi(truth: list[str], model, texts: list[str]) -> float:
    from sklearn.metrics import normalized_mutual_info_score

    found = model.assign((str(i), text) for i, text in enumerate(texts))
    return float(normalized_mutual_info_score(truth, [one.topic or "" for one in found]))


@pytest.mark.parametrize("seed", [7, 11])
def test_answers_tell_what_short_messages_are_about(tmp_path, seed) -> None:
    write_sample(tmp_path / "s.jsonl", seed=seed)
    records = list(rft.open_traces(tmp_path / "s.jsonl").filter(has_response=True).to_records())
    texts = [topic_text(one.input.messages) for one in records]
    answers = [answer_text(one.output.messages) for one in records]
    truth = [one.metadata["true_topic"] for one in records]
    model = fit_topics(texts, answers=answers)
    assert model.by_answers
    assert nmi(truth, model, texts) > 0.5
    assert nmi(truth, model, texts) > nmi(truth, fit_topics(texts), texts) + 0.2
    assert 5 <= len(model.paths) <= 20
    assert model.calibration.error is not None
    assert model.calibration.error < 0.05


def test_new_texts_are_placed_without_an_answer() -> None:
    texts, answers, kinds = asked()
    model = fit_topics(texts[::2], answers=answers[::2], n_topics=3)
    assert nmi(kinds[1::2], model, texts[1::2]) > 0.9
    assert nmi(kinds[1::2], fit_topics(texts[::2], n_topics=3), texts[1::2]) < 0.5


def test_answers_that_do_not_depend_on_the_question_are_ignored() -> None:
    texts, answers, _ = asked()
    plain = fit_topics(texts)
    for useless in (
        random.Random(1).sample(answers, len(answers)),
        [""] * len(texts),
        ["Yes."] * len(texts),
        [*answers[:20], *[""] * (len(texts) - 20)],
    ):
        model = fit_topics(texts, answers=useless)
        assert not model.by_answers
        assert model.hierarchy == plain.hierarchy


def test_the_same_answers_give_the_same_topics() -> None:
    texts, answers, _ = asked()
    one, other = (fit_topics(texts, answers=iter(answers), seed=4) for _ in range(2))
    assert one.hierarchy == other.hierarchy
    assert one.nearest(texts) == other.nearest(texts)


def test_every_text_needs_a_place_for_its_answer() -> None:
    with pytest.raises(ValueError, match="shorter"):
        fit_topics(["a text", "another"], answers=["one"])


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("Hey! Where is my parcel? Thank you very much in advance! Ruth", "Where is my parcel?"),
        ("Dear shop team! Are returns free? I'd be grateful for a short answer.",
         "Are returns free?"),
        ("Good morning, I have a question. Can I pay by card?\n\nBest wishes\nLuca",
         "Can I pay by card?"),
        ("Hi, where is my parcel? LF-3", "Hi, where is my parcel? LF-3"),
        ("My card broke. It doesn't work.", "My card broke. It doesn't work."),
        ("Thanks!", "Thanks!"),
        ("Thanks! Best wishes!", "Thanks! Best wishes!"),
        ("", ""),
    ],
)  # fmt: skip
def test_courtesies_are_left_out(said, left) -> None:
    assert without_courtesies(said) == left
    assert without_courtesies(said + "x" * 2_001).startswith(said)


def test_names_say_no_person_no_identifier_and_one_number() -> None:
    returns = [f"return of order LF-48{n} please. {who}" for n in range(6) for who in PEOPLE]
    returns += ["the returns of my order"] * 5
    invoices = [f"Hello Ruth, invoice {n} for the VAT. Ben" for n in range(9)]
    labels = [0] * len(returns) + [1] * len(invoices)
    (first, keys), (second, more) = describe_groups([*returns, *invoices], labels, 2)
    assert "Return" in first
    assert "VAT" in second
    said = {word for key in (*keys, *more) for word in key.split()}
    assert not said & {"lf", "ben", "eva", "ruth", "please", "returns"}
