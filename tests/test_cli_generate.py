"""New records on the command line."""

from __future__ import annotations

import re
from pathlib import Path

from builders import chat_line
from command_line import answer, run

import rft_widgets as rft
from rft_widgets.testing.openai_server import OpenAIServer


def test_plan_run_and_accept(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    with OpenAIServer() as server:
        with rft.Workspace(store) as workspace:
            workspace.add_connection("writer", server.base_url, "m",
                                     input_usd_per_million=1, output_usd_per_million=2)  # fmt: skip
            dataset = workspace.create("bank")
            dataset.add_records(
                chat_line(f"How do I pay bill number {n}?", topic="Bills") for n in range(40)
            )
            dataset.set_topics(["Bills", "Loans"])
        base = ("generate", dataset.id, "--database", store)
        plan = answer(*base, "--max-share", "0.2")["plan"]
        assert (plan["total"], plan["config"]["max_synthetic_ratio"]) == (10, 0.2)
        assert server.requests == ()  # a plan asks nobody

        config = tmp_path / "config.yaml"
        config.write_text("records_per_topic: 9\nmin_length: 15\n")
        chosen = ("--topic", "Loans", "--per-topic", "4", "--config", config, "--model", "writer")
        shown = run(*base, *chosen, "--run", "--max-cost", "1").stdout
        batch = re.search(r"--batch (gen_\w+) --accept", shown)[1]
        assert "4 of 4 records generated" in shown
        done = answer(*base, "--batch", batch, "--accept", "0", "1", "--discard")
        assert done["batch"]["plan"]["config"]["min_length"] == 15
        assert (done["accepted"]["records"], done["discarded"]) == (2, 2)
        assert done["batch"]["status"] == "closed"
