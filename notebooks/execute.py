"""Run the example notebooks, all or those that are named, and keep what they show.

What differs from run to run is not kept: times, random ids, and views that mean nothing without
their kernel (where one was stands the sentence that widgets leave in a saved notebook).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
VIEW = "application/vnd.jupyter.widget-view+json"
ID = re.compile(r"\b(ds|dry|gen|job|dep|imp|del)_[0-9a-f]{12}\b")


def execute(path: Path) -> None:
    """Run one notebook in its folder, and write it in place."""
    notebook = nbformat.read(path, 4)
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    ids: dict[str, str] = {}
    for number, cell in enumerate(notebook.cells, 1):
        cell.id = f"cell-{number}"
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(VIEW, None)
            for holder in (output, output.get("data", {})):
                for key in holder.keys() & {"text", "text/plain", "text/html"}:
                    holder[key] = ID.sub(lambda found: _steady(found, ids), holder[key])
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    nbformat.write(notebook, path)


def _joined(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Text that was printed together is one output, in however many messages it came."""
    found: list[nbformat.NotebookNode] = []
    for one in outputs:
        last = found[-1] if found else None
        if one.output_type == "stream" and last is not None and last.get("name") == one.name:
            last.text += one.text
        else:
            found.append(one)
    return found


def _steady(found: re.Match[str], ids: dict[str, str]) -> str:
    """The same id for the n-th one that a notebook shows, in every run."""
    return ids.setdefault(found[0], f"{found[1]}_{len(ids) + 1:012x}")


if __name__ == "__main__":
    examples = (path for path in HERE.glob("*.ipynb") if path.name != "optimization.ipynb")
    for name in sys.argv[1:] or sorted(map(str, examples)):
        sys.stdout.write(f"{name}\n")
        execute(Path(name))
