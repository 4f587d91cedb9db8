"""What is said of models before they are asked, and who may correct it."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import rft_widgets as rft
from rft_widgets.errors import InvalidArgument, ModelGone
from rft_widgets.llm import catalogue as catalogues
from rft_widgets.llm.catalogue import (
    catalogue,
    known_model,
    notice_of,
    price_of,
    refuse_gone,
    shutdown_of,
)
from rft_widgets.model.connection import ConnectionTest, NamedConnection
from rft_widgets.model.llm import ModelConnection

ROOT = Path(rft.__file__).parents[1]
OPENAI = "https://api.openai.com/v1"
TODAY = date(2026, 11, 26)


@pytest.fixture(autouse=True)
def nobodys_file(monkeypatch, tmp_path):
    monkeypatch.delenv(catalogues.MODELS_VARIABLE, raising=False)
    monkeypatch.setattr(catalogues, "user_config_path", lambda _: tmp_path / "config")
    (tmp_path / "config").mkdir()
    return tmp_path / "config" / "models.json"


def connection(model: str, base_url: str = OPENAI, **more) -> NamedConnection:
    return NamedConnection(
        name="one", connection=ModelConnection(base_url=base_url), model=model, **more
    )


def seen(*, works: bool = True, at: date = TODAY, **more) -> ConnectionTest:
    return ConnectionTest(at=datetime(at.year, at.month, at.day, tzinfo=UTC), works=works, **more)


def test_every_entry_says_something_and_where_it_was_read():
    for one in catalogue():
        says = (one.context, one.input_usd, one.output_usd, one.shutdown_date)
        assert any(value is not None for value in says), one.id
        assert one.sources, one.id
        assert all(source.startswith("https://") for source in one.sources)
        assert one.as_of is not None
        assert one.as_of <= TODAY
    names = [(one.service, name) for one in catalogue() for name in (one.id, *one.snapshots)]
    assert len(names) == len(set(names))


def test_a_price_belongs_to_a_model_of_a_service():
    assert price_of("gpt-6-luna", connection("gpt-6-luna")) == (100_000, 500_000)
    elsewhere = connection("gpt-6-luna", "https://gateway.example.com/v1")
    assert price_of("gpt-6-luna", elsewhere) == (None, None)
    assert price_of("gpt-4.1-mini-2025-04-14", connection("x")) == (400_000, 1_600_000)
    tuned = "ft:gpt-4.1-mini-2025-04-14:acme::a1"
    assert price_of(tuned, connection(tuned)) == (None, None), "tuned models have other prices"


def test_a_price_of_ones_own_counts_first_but_not_for_what_embeds():
    own = connection(
        "gpt-6-luna", embedding_model="text-embedding-3-small", input_price=7, output_price=9
    )
    assert price_of("gpt-6-luna", own) == (7, 9)
    assert price_of("text-embedding-3-small", own) == (20_000, 0)
    half = connection("gpt-6-luna", input_price=7)
    assert price_of("gpt-6-luna", half) == (7, 500_000)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("o4-mini-2025-04-16", "was shut down on 2026-10-23. Its service recommends gpt-5.6-terra"),
        ("ft:o4-mini-2025-04-16:acme::a1", "was shut down on 2026-10-23"),
        ("gpt-5-mini", "shuts down on 2026-12-11. Its service recommends gpt-6.1-terra"),
        ("nobody-knows-it", "The price of nobody-knows-it is not known here"),
    ],
)
def test_what_is_to_be_known_is_said_before(model, words):
    assert words in notice_of(connection(model), today=TODAY)


def test_there_is_nothing_to_say_of_a_model_that_stays_or_runs_here():
    assert notice_of(connection("gpt-6-luna"), today=TODAY) == ""
    assert notice_of(connection("qwen3", "http://127.0.0.1:11434/v1"), today=TODAY) == ""


def test_the_end_of_what_embeds_is_said_too():
    both = connection("gpt-6-luna", embedding_model="gpt-4o-mini")
    assert notice_of(both, today=TODAY) == (
        "The embedding model gpt-4o-mini shuts down on 2027-01-14."
    )


def test_a_model_that_is_gone_is_refused_on_its_day_and_no_day_before():
    going = connection("gpt-5-mini")
    refuse_gone(going, today=date(2026, 12, 10))
    with pytest.raises(ModelGone, match=r"gpt-5-mini was shut down on 2026-12-11.*gpt-6\.1-ter"):
        refuse_gone(going, today=date(2026, 12, 11))


def test_what_the_service_said_counts_more_than_the_list():
    gone = connection("o4-mini")
    refuse_gone(gone, seen(works=True), today=TODAY)
    with pytest.raises(ModelGone):
        refuse_gone(gone, seen(works=False), today=TODAY)
    with pytest.raises(ModelGone):  # it answered, but before its last day
        refuse_gone(gone, seen(at=date(2026, 10, 1)), today=TODAY)
    ours = connection(
        "house-model", "https://gateway.example.com/v1", input_price=1, output_price=1
    )
    ends = seen(shutdown_date=date(2026, 11, 26))
    assert shutdown_of(ours, ends) == date(2026, 11, 26)
    with pytest.raises(ModelGone, match="house-model was shut down"):
        refuse_gone(ours, ends, today=TODAY)
    assert shutdown_of(ours, ends, "another-model") is None


def test_a_file_of_the_user_adds_and_corrects(nobodys_file, monkeypatch, tmp_path):
    mine = [
        {"service": "api.openai.com", "id": "gpt-6-luna", "input_usd": 0.05},
        {"service": "Gateway.example.com", "id": "house", "input_usd": 1, "output_usd": 2.5},
    ]
    nobodys_file.write_text(json.dumps({"models": mine}))
    assert price_of("gpt-6-luna", connection("gpt-6-luna")) == (50_000, 500_000)
    house = connection("house", "https://gateway.example.com/v1")
    assert price_of("house", house) == (1_000_000, 2_500_000)
    mine[1]["output_usd"] = 20
    nobodys_file.write_text(json.dumps({"models": mine}))
    assert price_of("house", house).output_price == 20_000_000, "read anew after a change"
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text('{"models": []}')
    monkeypatch.setenv(catalogues.MODELS_VARIABLE, str(elsewhere))
    assert known_model("https://gateway.example.com/v1", "house") is None


@pytest.mark.parametrize(
    "text",
    ["{", '{"models": [{"id": "x", "prize": 1}]}', '{"models": [{"id": "x", "input_usd": -1}]}'],
)
def test_a_file_that_cannot_be_read_is_named(nobodys_file, text):
    nobodys_file.write_text(text)
    with pytest.raises(InvalidArgument, match=re.escape(str(nobodys_file))):
        catalogue()


def test_a_variable_that_names_no_file_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv(catalogues.MODELS_VARIABLE, str(tmp_path / "nowhere.json"))
    with pytest.raises(InvalidArgument, match=catalogues.MODELS_VARIABLE):
        catalogue()


def test_nothing_of_ours_suggests_a_model_that_is_gone_or_going():
    """Presets, placeholders, notebooks and pages of the documentation name no such model.

    The sample is a recording of what somebody used; what it says of models is no suggestion.
    """
    ending = {
        name
        for one in catalogue()
        if one.shutdown_date is not None
        for name in (one.id, *one.snapshots)
    }
    names = "|".join(map(re.escape, sorted(ending, key=len, reverse=True)))
    word = re.compile(rf"(?<![\w.-])({names})(?![\w-]|\.\w)")
    assert word.findall("Use `gpt-4o`, gpt-5.") == ["gpt-4o", "gpt-5"]
    assert not word.findall("gpt-5.6-luna my-gpt-4o gpt-4o-airline.json")
    files = [
        path
        for folder, pattern in (
            ("rft_widgets", "*.py"), ("rft_widgets", "*.toml"), ("js/src", "*.ts*"),
            ("docs", "*.md"), ("notebooks", "*.ipynb"), (".", "README.md"),
        )
        for path in (ROOT / folder).rglob(pattern)
        if "sample" not in path.parts and ".test." not in path.name
        and not {"node_modules", ".venv", ".git"} & set(path.parts)
    ]  # fmt: skip
    assert len(files) > 100
    found = {
        f"{path.relative_to(ROOT)}: {match}"
        for path in files
        for match in word.findall(_suggested(path))
    }
    assert found == set()


def _suggested(path: Path) -> str:
    """The text of a file; of a notebook what somebody wrote, not what data showed."""
    text = path.read_text("utf-8")
    if path.suffix != ".ipynb":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
