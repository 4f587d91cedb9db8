"""A notebook that connected, tested and used a model is saved with all its state: no key in it."""

from __future__ import annotations

import json
import os

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from rft_widgets.testing.openai_server import OpenAIServer

KEY = "sk-notebook-8812fa"
CELLS = (
    """
import logging, rft_widgets as rft
logging.basicConfig(level=logging.DEBUG)
from rft_widgets.sample.support import write_sample
ws = rft.Workspace("store.db")
ds = ws.create_from_file(write_sample("s.jsonl", format="jsonl", n=20).path, name="Support")
ws.add_connection("judge", "{url}", "m", api_key_env="RFT_NOTEBOOK_KEY")
""",
    "ws.test_connection('judge')",
    """
judge = {{"type": "score_model", "name": "judge", "model": "m", "range": [0, 1],
         "input": [{{"role": "user", "content": "Rate: {{{{ sample.output_text }}}}"}}]}}
ds.set_grader(judge, connection="judge")
ds.test_grader(2)
""",
    "ds.costs, ws.connection_views, vars(ws), ds.connections",
    "rft.App(ws)",
    "ds.dialog('grader')",
    "ds.canvas()",
    "ws.add_connection('wrong', '{url}', 'm', api_key_env='{key}')",
    "import os; os.environ['RFT_NOTEBOOK_KEY'] += '-wrong'; ds.test_grader(2, seed=5)",
)


@pytest.mark.slow
def test_no_key_is_in_a_saved_notebook_or_its_export(tmp_path, monkeypatch):
    monkeypatch.setenv("RFT_NOTEBOOK_KEY", KEY)
    with OpenAIServer(key=KEY, models={"m": None}) as server:
        cells = [cell.format(url=server.base_url, key="key-" + "x" * 8) for cell in CELLS]
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        client = NotebookClient(
            notebook,
            timeout=120,
            allow_errors=True,
            store_widget_state=True,
            resources={"metadata": {"path": str(tmp_path)}},
        )
        client.execute(env=dict(os.environ))
        keys = {one.key for one in server.requests}
    assert keys == {"right", "wrong"}, "it was used"
    nbformat.write(notebook, tmp_path / "saved.ipynb")
    saved = json.loads((tmp_path / "saved.ipynb").read_text())
    assert saved["metadata"]["widgets"], "there is state"
    errors = [
        output["ename"]
        for cell in saved["cells"]
        for output in cell["outputs"]
        if output["output_type"] == "error"
    ]
    assert errors == ["InvalidArgument", "ModelRefused"]
    html, _ = HTMLExporter().from_notebook_node(notebook)
    (tmp_path / "saved.html").write_text(html)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path
