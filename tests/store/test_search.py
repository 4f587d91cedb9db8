"""What a search finds: the same on each database, and right after every kind of change."""

from __future__ import annotations

import itertools
import random
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from builders import (
    all_pages,
    assistant,
    call,
    chat_line,
    tool,
    tool_message,
    user,
    write_jsonl,
)

import rft_widgets as rft
from rft_widgets.model.settings import STORE

TEXTS = {
    "shop": "I would like a refund for order 4711, please",
    "shout": "WHERE IS MY REFUND???",
    "words": "The reorder button reorders orders",
    "code": "Why does C++ print foo_bar::baz(1, 2) -> 3.14?",
    "mail": "Write to a.b+c@example.org or visit https://example.org/path?q=1&r=2",
    "percent": "A 50% discount_code for 100 customers",
    "slash": "The folder C:\\temp\\new and /usr/local",
    "quotes": 'She said "never mind" and it\'s fine',
    "emoji": "The tent 🏕️ leaks 😀👍🏽 in the rain",
    "family": "A family 👩‍👩‍👧‍👦 of four goes camping",
    "german": "Die Straße ist naß, die Äpfel sind grün",
    "french": "Où est passé le café décafeïné de l'été?",
    "russian": "Привет, где мой заказ?",
    "greek": "Πού είναι η παραγγελία μου; ΟΔΟΣ",
    "chinese": "我想退款，订单号是4711",
    "japanese": "返金をお願いします。注文番号は4711です",
    "korean": "주문을 취소하고 싶어요",
    "arabic": "أريد استرداد أموالي من فضلك",
    "hebrew": "אני רוצה החזר כספי בבקשה",
    "hindi": "मुझे पैसे वापस चाहिए",
    "thai": "ฉันต้องการเงินคืนสำหรับคำสั่งซื้อ",
    "turkish": "İstanbul'da iade istiyorum",
    "math": "Solve ∑ x² ≥ ½ for all x ∈ ℝ",
    "lines": "first line\nsecond line\ttabbed",
    "long": "Donaudampfschifffahrtsgesellschaftskapitän " * 3,
}

FOUND = [
    ("refund", ["shop", "shout"]),
    ("REFUND", ["shop", "shout"]),
    ("ReFuNd", ["shop", "shout"]),
    ("efun", ["shop", "shout"]),
    ("order", ["shop", "words"]),
    ("reorder", ["words"]),
    ("orders", ["words"]),
    ("4711", ["shop", "chinese", "japanese"]),
    ("71", ["shop", "chinese", "japanese"]),
    ("refund order", ["shop"]),
    ("order   refund", ["shop"]),
    (" refund ", ["shop", "shout"]),
    ("refund tent", []),
    ('"order 4711"', ["shop"]),
    ('"4711 order"', []),
    ('"refund for order" please', ["shop"]),
    ('"reorder button"', ["words"]),
    ('"order button"', ["words"]),
    ('"der but"', ["words"]),
    ("C++", ["code"]),
    ("c+", ["code"]),
    ("++", ["code"]),
    ("foo_bar", ["code"]),
    ("foo_", ["code"]),
    ("o_b", ["code"]),
    ("baz(1,", ["code"]),
    ("3.14", ["code"]),
    ("->", ["code"]),
    ("?", ["shout", "code", "mail", "french", "russian"]),
    ("a.b+c@example.org", ["mail"]),
    ("example.org/path?q=1&r=2", ["mail"]),
    ("50%", ["percent"]),
    ("%", ["percent"]),
    ("_", ["code", "percent"]),
    ("5_%", []),
    ("\\", ["slash"]),
    ("C:\\temp", ["slash"]),
    ("/usr", ["slash"]),
    ("it's", ["quotes"]),
    ("'", ["quotes", "french", "turkish"]),
    ('"never mind"', ["quotes"]),
    ("😀", ["emoji"]),
    ("👍🏽", ["emoji"]),
    ("👍", ["emoji"]),
    ("🏕", ["emoji"]),
    ("👧", ["family"]),
    ("👩‍👩‍👧‍👦", ["family"]),
    ("🙈", []),
    ("straße", ["german"]),
    ("STRAßE", ["german"]),
    ("äpfel", ["german"]),
    ("ÄPFEL", ["german"]),
    ("apfel", []),
    ("café", ["french"]),
    ("CAFÉ", ["french"]),
    ("cafe", ["french"]),
    ("afeïn", ["french"]),
    ("où", ["french"]),
    ("привет", ["russian"]),
    ("ПРИВЕТ", ["russian"]),
    ("заказ", ["russian"]),
    ("ака", ["russian"]),
    ("παραγγελία", ["greek"]),
    ("ΠΑΡΑΓΓΕΛΊΑ", ["greek"]),
    ("οδος", ["greek"]),
    ("οδοσ", ["greek"]),
    ("ΟΔΟΣ", ["greek"]),
    ("Σ", ["greek"]),
    ("退款", ["chinese"]),
    ("款", ["chinese"]),
    ("订单号", ["chinese"]),
    ("，", ["chinese"]),
    ("返金", ["japanese"]),
    ("お願い", ["japanese"]),
    ("注文番号は4711", ["japanese"]),
    ("취소", ["korean"]),
    ("استرداد", ["arabic"]),
    ("החזר", ["hebrew"]),
    ("वापस", ["hindi"]),
    ("पैसे", ["hindi"]),
    ("ไ", []),
    ("เงินคืน", ["thai"]),
    ("istiyorum", ["turkish"]),
    ("x²", ["math"]),
    ("½", ["math"]),
    ("∑", ["math"]),
    ('"second line"', ["lines"]),
    ("tabbed", ["lines"]),
    ("schifffahrt", ["long"]),
    ("KAPITÄN", ["long"]),
    ('"kapitän donau"', ["long"]),
    # What is an operator elsewhere is text here.
    ("refund OR tent", []),
    ("refund AND please", []),
    ("NOT", []),
    ("refund*", []),
    ("^refund", []),
    ("text:refund", []),
    ("-refund", []),
    ("refund)", []),
    ("(refund", []),
    ("' OR 1=1 --", []),
    ("NEAR(refund order)", []),
    # The names of JSON and of this package are no text.
    ("role", []),
    ("messages", []),
    ("content", []),
    ("assistant", []),
    ("extra", []),
    ("zzzzz", []),
    ('""', list(TEXTS)),
    ('"', ["quotes"]),
    ('"refund', []),
    ('say"', []),
]


@pytest.fixture
def dataset(workspace: rft.Workspace, tmp_path: Path) -> rft.OptimizationDataset:
    lines = [chat_line(text, id=name) for name, text in TEXTS.items()]
    return workspace.create_from_file(write_jsonl(tmp_path, lines))


def found(dataset: rft.OptimizationDataset, search: str, **more: Any) -> list[str]:
    page = dataset.records(search=search, limit=1_000, **more)
    names = [record.id for record in page.records]
    assert (page.total, page.total_is_exact) == (len(names), True), search
    assert dataset.count(rft.RecordFilter(search=search, **more)) == len(names), search
    assert [
        record.id
        for record in dataset.iterate(dataset.select(rft.RecordFilter(search=search, **more)))
    ] == names, search
    return names


def test_a_search_finds_what_the_text_holds(dataset: rft.OptimizationDataset):
    wrong = {
        search: (names, expected)
        for search, expected in FOUND
        if (names := found(dataset, search)) != expected
    }
    assert wrong == {}


def test_sorts_and_filters_join_a_search(dataset: rft.OptimizationDataset):
    dataset.assign_topic(dataset.select(ids=["shop", "words"]), "orders")
    assert found(dataset, "refund", topic="orders") == ["shop"]
    assert found(dataset, "refund", uncategorized=True) == ["shout"]
    assert found(dataset, "refund", valid=False) == []
    down = dataset.records(search="4711", sort="-position")
    assert [record.id for record in down.records] == ["japanese", "chinese", "shop"]


def test_everything_that_is_said_is_found(workspace: rft.Workspace):
    line = {
        "messages": [
            {"role": "system", "content": "You are a parrot", "name": "captain"},
            user(
                [
                    {"type": "text", "text": "Which rum?"},
                    {"type": "image_url", "image_url": {"url": "https://hidden.example/x.png"}},
                ]
            ),
            assistant(None, tool_calls=[call("call_77", "find_bottle", '{"colour": "brown"}')]),
            tool_message("call_77", "three bottles"),
            assistant("Three of them"),
        ],
        "tools": [tool("unused_tool")],
        "metadata": {"secret": "treasure"},
        "reference": "parley",
        "topic": "piracy",
        "id": "r",
    }
    dataset = workspace.create("said")
    dataset.add_records([line])
    for word in ("parrot", "rum", "find_bottle", "bottles", "them"):
        assert found(dataset, word) == ["r"], word
    for word in (
        "hidden",
        "png",
        "unused_tool",
        "treasure",
        "parley",
        "piracy",
        "call_77",
        "captain",
        "image_url",
        "system",
        "user",
        "tool_calls",
        "function",
    ):
        assert found(dataset, word) == [], word


def test_words_of_two_messages_are_no_phrase(workspace: rft.Workspace):
    dataset = workspace.create("phrases")
    dataset.add_records([chat_line("The first half", "Second half", id="r")])
    assert found(dataset, "half second") == ["r"]
    assert found(dataset, '"half second"') == []


def test_a_search_follows_every_change(workspace: rft.Workspace, tmp_path: Path):
    dataset = workspace.create("changes")
    path = write_jsonl(tmp_path, [chat_line(f"The question {n}", id=f"r{n}") for n in range(5)])
    dataset.import_records(path)
    assert found(dataset, "question") == ["r0", "r1", "r2", "r3", "r4"]
    dataset.add_records([chat_line("A late question", id="late")])
    assert found(dataset, "late") == ["late"]
    dataset.edit_record("r1", messages=[user("Something new and unusual")])
    assert found(dataset, "question") == ["r0", "r2", "r3", "r4", "late"]
    assert found(dataset, "unusual") == ["r1"]
    assert found(dataset, '"question 1"') == []
    dataset.edit_record("r2", output=[assistant("An unusual answer")])
    assert found(dataset, "unusual") == ["r1", "r2"]
    deletion = dataset.delete_records(dataset.select(rft.RecordFilter(search="unusual")))
    assert found(dataset, "unusual") == []
    assert found(dataset, "question") == ["r0", "r3", "r4", "late"]
    dataset.edit_record("r0", messages=[user("An unusual replacement")])
    assert found(dataset, "unusual") == ["r0"]
    dataset.undo_delete(deletion)
    assert found(dataset, "unusual") == ["r0", "r1", "r2"]
    dataset.edit_record("r1", messages=[user("The question once more")])
    assert found(dataset, "unusual") == ["r0", "r2"]
    copy = workspace.duplicate(dataset.id)
    assert found(copy, "unusual") == ["r0", "r2"]
    dataset.import_records(path, mode="replace")
    assert found(dataset, "unusual") == []
    assert found(dataset, "question") == ["r0", "r1", "r2", "r3", "r4"]
    workspace.empty_trash()
    assert found(dataset, "question") == ["r0", "r1", "r2", "r3", "r4"]
    assert found(copy, "unusual") == ["r0", "r2"]


def test_a_search_follows_what_others_do(store_url: str):
    with rft.Workspace(store_url) as mine, rft.Workspace(store_url) as yours:
        dataset = mine.create("shared")
        dataset.add_records([chat_line("The first question", id="a")])
        other = yours.dataset(dataset.id)
        assert found(other, "question") == ["a"]
        dataset.add_records([chat_line("The zweite question", id="b")])
        assert found(other, "zweite") == ["b"]
        other.edit_record("a", messages=[user("Eine andere Frage")])
        assert found(dataset, "andere") == ["a"]
        assert found(dataset, "question") == ["b"]
        deletion = other.delete_records("b")
        assert found(dataset, "question") == []
        dataset.undo_delete(deletion)
        assert found(other, "question") == ["b"]
        dataset.add_records([chat_line("Replaced altogether", id="c")], mode="replace")
        assert found(other, "question") == []
        assert found(other, "altogether") == ["c"]


ALPHABETS = (
    "abc",
    "aAbB",
    "äÄöÖaz",
    "абвАБВ",
    "αβσςΣ",
    "退款返金",
    "a1_-.+",
    "😀👍a ",
    "ßẞsS",
    "xyz'\"%",
)


def fold(text: str) -> str:
    """Case does not count, nor where in a word a sigma stands."""
    return text.lower().replace("ς", "σ")


def test_random_searches_agree_with_plain_python(workspace: rft.Workspace):
    rng = random.Random(12)

    def word() -> str:
        return "".join(rng.choices(rng.choice(ALPHABETS), k=rng.randint(1, 5)))

    texts = {f"r{n}": " ".join(word() for _ in range(rng.randint(1, 8))) for n in range(300)}
    dataset = workspace.create("random")
    dataset.add_records([chat_line(text, id=name) for name, text in texts.items()])
    wrong = {}
    for _ in range(250):
        search = " ".join(word() for _ in range(rng.choice([1, 1, 1, 2])))
        if rng.random() < 0.5:
            text = rng.choice(list(texts.values()))
            start = rng.randrange(len(text))
            search = text[start : start + rng.randint(1, 6)]
        if rng.random() < 0.3:
            search = rng.choice([search.upper(), search.lower()])
        search = search.replace('"', "")
        needles = fold(search).split()
        if rng.random() < 0.3:
            needles, search = [fold(search).strip()], f'"{search}"'
        expected = [name for name, text in texts.items() if all(n in fold(text) for n in needles)]
        names = [r.id for r in dataset.records(search=search, limit=1_000).records]
        if names != expected:
            wrong[search] = sorted(set(names) ^ set(expected))[:5]
    assert wrong == {}


def test_a_large_vocabulary(workspace: rft.Workspace):
    """More terms hold the letters than a query can name."""
    rng = random.Random(13)
    dataset = workspace.create("large")
    texts = [" ".join(f"{rng.randrange(10**6):x}q" for _ in range(8)) for _ in range(800)]
    dataset.add_records([chat_line(text, id=f"r{n}") for n, text in enumerate(texts)])
    for search in ("q", "1", "aq", "1 2q", "abcq"):
        expected = sum(all(part in text for part in search.split()) for text in texts)
        page = dataset.records(search=search, limit=10_000)
        assert len(page.records) == expected, search
        assert page.total == expected or (not page.total_is_exact and page.total < expected), search


def test_a_very_long_search(dataset: rft.OptimizationDataset):
    assert found(dataset, "refund " * 2_000) == ["shop", "shout"]
    assert found(dataset, "x" * 100_000) == []
    assert found(dataset, " ".join(f"w{n}" for n in range(3_000))) == []


# -- sizes and counts ------------------------------------------------------------------------------


def test_long_words_and_long_texts(workspace: rft.Workspace):
    """As images in base64 are: the end of a word is found, too, however long it is."""
    dataset = workspace.create("long")
    blob = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=20_000))
    words = " ".join(f"word{n}" for n in range(3_000))
    dataset.add_records(
        [
            chat_line(f"Decode this: {blob}NEEDLE{blob}", id="blob"),
            chat_line(f"{words} NEEDLE", id="words"),
        ]
    )
    assert found(dataset, "needle") == ["blob", "words"]
    assert found(dataset, blob[4_000:4_030]) == ["blob"]
    assert found(dataset, blob[-30:]) == ["blob"]
    assert found(dataset, f"needle{blob[:40]}") == ["blob"]
    assert found(dataset, "word2999 needle") == ["words"]


def test_a_whole_prompt_pasted_as_a_search(workspace: rft.Workspace):
    dataset = workspace.create("pasted")
    words = [
        f"{w}{n}{end}" for n in range(300, 700) for w, end in (("w", ""), ("x", ","), ("ä", ""))
    ]
    dataset.add_records(
        [chat_line(" ".join(words), id="all"), chat_line(" ".join(words[1:]), id="some")]
    )
    assert found(dataset, " ".join(words)) == ["all"]
    assert found(dataset, " ".join(words[1:])) == ["all", "some"]
    assert found(dataset, " ".join([*words, "nowhere"])) == []
    assert found(dataset, f'"{" ".join(words)}"') == ["all"]


def test_a_search_while_an_import_runs(workspace: rft.Workspace):
    dataset = workspace.create("running")
    seen = []

    def look(progress: Any) -> None:
        if progress.phase == "reading":
            dataset.edit_record(f"r{progress.imported - 1}", messages=[user("An edited question")])
            seen.append((progress.imported, dataset.count(rft.RecordFilter(search="number"))))

    lines = (chat_line(f"A question number {n}", id=f"r{n}") for n in range(2_500))
    assert dataset.add_records(lines, progress=look).imported == 2_500
    assert seen == [(1_000, 999), (2_000, 1_998), (2_500, 2_497)]
    assert found(dataset, "edited") == ["r999", "r1999", "r2499"]
    assert found(dataset, "number 2498") == ["r2498"]


def test_counts_stop_at_the_limit(workspace: rft.Workspace, monkeypatch: pytest.MonkeyPatch):
    assert STORE.exact_count_limit == 10_000
    dataset = workspace.create("counted")
    lines = [chat_line(f"Question {n} has {'even' if n % 2 else 'odd'} words") for n in range(120)]
    dataset.add_records(lines)
    small = msgspec.structs.replace(STORE, exact_count_limit=60)
    monkeypatch.setattr("rft_widgets.store.pages.STORE", small)
    for search, count in (("question", 120), ("odd", 60), ("Question 119", 1), ("no", 0)):
        page = dataset.records(search=search, limit=5)
        assert (page.total, page.total_is_exact) == ((60, False) if count > 60 else (count, True))
        assert dataset.count(rft.RecordFilter(search=search)) == page.total
        assert len(all_pages(dataset, search=search, limit=50)) == count
    page = dataset.records(limit=5)
    assert (page.total, page.total_is_exact) == (120, True), "only a search is counted to a limit"
    assert dataset.count(rft.RecordFilter(valid=True)) == 120


def test_a_count_that_is_not_exact_is_a_lower_bound(workspace: rft.Workspace):
    dataset = workspace.create("verified")
    names = [f"r{n}" for n in range(1_100)]
    dataset.add_records([chat_line(f"Value {n} of order_id", id=f"r{n}") for n in range(1_100)])
    page = dataset.records(search="order_id", limit=5)
    assert page.total == 1_100 if page.total_is_exact else 1_000 <= page.total < 1_100
    assert [r.id for r in all_pages(dataset, search="order_id", limit=400)] == names
    assert dataset.records(search="order_id", limit=1, sort="-position").records[0].id == "r1099"


def test_a_common_piece_in_every_order_with_filters(workspace: rft.Workspace):
    rng = random.Random(5)
    dataset = workspace.create("common")
    dataset.add_records(
        {
            "input": {"messages": [user(f"pre{n}item{n % 7} is {rng.choice(('red', 'blue'))}")]},
            "id": f"r{n}",
            "topic": rng.choice((None, "t1", "t2")),
            "dry_run_score": rng.choice((None, 0.1, 0.5, 0.9)),
            "is_generated": rng.random() < 0.5,
        }
        for n in range(500)
    )
    everything = rft.RecordFilter(source="traces", max_score=0.6)
    orders = {
        sort: all_pages(dataset, everything, sort=sort, limit=1_000)
        for sort in ("-position", "messages", "-topic", "valid", "-score", "updated")
    }
    searches = ("item", "item3", "item blue", '"is red"', "pre4 item", "nowhere")
    for (sort, in_order), search in itertools.product(orders.items(), searches):
        where = msgspec.structs.replace(everything, search=search)
        parts = [search.strip('"')] if '"' in search else search.split()
        expected = [
            r.id for r in in_order if all(part in r.input.messages[0].text for part in parts)
        ]
        pages = all_pages(dataset, where, sort=sort, limit=23)
        assert [r.id for r in pages] == expected, (search, sort)


def test_a_search_beside_a_writer_does_not_wait(sqlite_workspace: rft.Workspace):
    dataset = sqlite_workspace.create("beside")
    pages = []

    def look(progress: Any) -> None:
        if progress.phase != "reading" or progress.imported % 1_000:
            return
        # Somebody holds the write lock, as a loader does most of the time.
        with sqlite_workspace._store.write():
            began = time.monotonic()
            pages.append(dataset.records(search="number"))
            assert time.monotonic() - began < 5

    lines = (chat_line(f"A question number {n}") for n in range(4_000))
    dataset.add_records(lines, progress=look)
    assert [(page.total, page.total_is_exact) for page in pages] == [(0, False)] * 4
    page = dataset.records(search="number", limit=5)
    assert (page.total, page.total_is_exact) == (4_000, True)
