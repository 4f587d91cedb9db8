"""Chat completions that a service stores, read over HTTP; and who may have them read."""

import pytest
from openai_stand_in.sdk_client import asked, connected

import rft_widgets as rft
from rft_widgets.errors import ImportRejected, InvalidArgument
from rft_widgets.testing.openai_server import OpenAIServer
from rft_widgets.traces.places import check_place, found_places
from rft_widgets.widgets.create_page import CreatePage

KEY = "sk-of-the-service"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def service(monkeypatch):
    """A service that stores three completions, and wants a key."""
    monkeypatch.setenv("SERVICE_KEY", KEY)
    with OpenAIServer(key=KEY) as one, connected(one, key=KEY) as client:
        for n in range(3):
            messages = [{"role": "system", "content": "Help."},
                        {"role": "user", "content": f"Where is parcel {n}?"}]  # fmt: skip
            asked(client, messages, store=True, metadata={"session": "one"})
        asked(client, [{"role": "user", "content": "Not stored."}])
        yield one


def test_stored_completions_become_records_and_are_opened_again(service, tmp_path):
    traces = rft.open_traces(service.base_url, api_key_env="SERVICE_KEY")
    assert (traces.format, traces.total()) == ("openai_chat", 3)
    assert traces.filter(search="parcel 2").count() == 1
    assert traces.origin["traces"] == f"{service.base_url}#SERVICE_KEY"
    with rft.Workspace(tmp_path / "store.db") as workspace:
        dataset = workspace.create_from_traces(traces, name="stored", objective="help")
        records = list(dataset.iterate())
        assert len(records) == 3
        assert records[0].input.messages[-1].text == "Where is parcel 0?"
        assert "parcel 0" in records[0].output.messages[0].text
        assert rft.open_traces(traces.origin["traces"]).total() == 3
        script = dataset.to_script()
    assert "#SERVICE_KEY" in script
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or KEY.encode() not in path.read_bytes()


def test_a_key_that_is_missing_or_wrong_is_said_without_it(service, monkeypatch):
    with pytest.raises(ImportRejected, match="401"):
        rft.open_traces(service.base_url).total()
    with pytest.raises(InvalidArgument, match="NO_SUCH_VARIABLE is not set"):
        rft.open_traces(service.base_url, api_key_env="NO_SUCH_VARIABLE").total()
    with pytest.raises(InvalidArgument, match="names no environment variable") as refused:
        rft.open_traces(f"{service.base_url}#{KEY}").total()
    assert KEY not in f"{refused.value} {refused.value.hint}"
    with pytest.raises(InvalidArgument, match="takes a key"):
        rft.open_traces("http://localhost:9090", api_key_env="SERVICE_KEY")


def test_pages_of_the_app_have_keys_sent_only_where_they_are_bound(service, tmp_path, monkeypatch):
    monkeypatch.setenv("RFT_WIDGETS_APP", "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    address = f"{service.base_url}#SERVICE_KEY"
    asked_before = len(service.requests)
    for location in (address, f"{service.base_url}#HOME", "https://api.example.com/v1#SERVICE_KEY"):
        with pytest.raises(InvalidArgument, match="not allowed"):
            check_place(location)
    with monkeypatch.context() as allowing:
        allowing.setenv("RFT_WIDGETS_TRACES", f"{tmp_path}:{address}")
        check_place(address)
        with pytest.raises(InvalidArgument, match="not allowed"):
            check_place(f"{service.base_url}#HOME")
        (place,) = found_places(gateway=NOWHERE)
        assert (place.location, place.kind) == (address, "api")
    with rft.Workspace(tmp_path / "store.db") as workspace:
        workspace.add_connection("mine", service.base_url, "m", api_key_env="SERVICE_KEY")
        page = CreatePage(workspace)
        (place,) = [one for one in page.sources().places if one.kind == "api"]
        assert (place.location, place.name) == (address, "Stored completions of mine")
        check_place(address, saved=workspace.connections)
        with pytest.raises(InvalidArgument, match="not allowed"):
            check_place(f"{service.base_url}#HOME", saved=workspace.connections)
        page.close()
    assert len(service.requests) == asked_before  # listing and checking ask nobody
