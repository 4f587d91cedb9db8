"""What stands where vLLM is looked for: a server that speaks its part of the protocol."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

STAND_IN = """\
    #!{python}
    import os, subprocess, sys, time
    arguments = sys.argv[1:]
    print("called with", " ".join(arguments), flush=True)
    if {fails}:
        sys.exit("CUDA error: out of memory")
    subprocess.Popen(["sleep", "600"])  # as vLLM starts processes of its own
    time.sleep({wait_s})
    from rft_widgets.testing.openai_server import OpenAIServer
    port = int(arguments[arguments.index("--port") + 1])
    names = [arguments[arguments.index("--served-model-name") + 1]]
    if "--lora-modules" in arguments:
        names.append(arguments[arguments.index("--lora-modules") + 1].partition("=")[0])
    with OpenAIServer(
        port=port, key=os.environ["VLLM_API_KEY"], models={{name: None for name in names}}
    ) as server:
        server.script(lambda request: f"{{request.model}} says {{request.question}}")
        time.sleep(600)
"""


def write_stand_in(folder: Path, *, fails: bool = False, wait_s: float = 0.0) -> Path:
    """Write the executable; it fails at once, or waits before it serves."""
    path = folder / "vllm"
    text = textwrap.dedent(STAND_IN)
    path.write_text(text.format(python=sys.executable, fails=fails, wait_s=wait_s))
    path.chmod(0o700)
    return path
