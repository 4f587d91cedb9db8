"""A Ray cluster of several nodes on this machine, which ends with the test that wants it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psutil

_START_S = 300.0
_TRIES = 3  # a node gives up when its parts take long to start, as on a busy machine


class Nodes(NamedTuple):
    """Where the cluster is reached: by clients, and by whoever submits jobs."""

    client: str
    dashboard: str
    processes: list[subprocess.Popen[bytes]]


@contextmanager
def ray_nodes(cpus: Sequence[int] = (1, 1), *, dashboard: bool = True) -> Iterator[Nodes]:
    """Start a node for each number of processors, the first of them the head."""
    # Ray makes sockets in it, whose paths may not be long.
    folder = Path(tempfile.mkdtemp(prefix="rft-ray-", dir="/tmp"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        head, client, web = _free_ports(3)
        first = _node(
            stack, folder, cpus[0],
            "--head", f"--port={head}", f"--ray-client-server-port={client}",
            f"--include-dashboard={dashboard}", f"--dashboard-port={web}", f"--temp-dir={folder}",
            ports=[client, web] if dashboard else [client],
        )  # fmt: skip
        others = [_node(stack, folder, some, f"--address=127.0.0.1:{head}") for some in cpus[1:]]
        yield Nodes(f"ray://127.0.0.1:{client}", f"http://127.0.0.1:{web}", [first, *others])


def _node(
    stack: ExitStack, folder: Path, cpus: int, *options: str, ports: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    ray = Path(sys.executable).with_name("ray")
    for _ in range(_TRIES):
        listening, agent, runtime, metrics = _free_ports(4)
        process = subprocess.Popen(
            [
                ray, "start", *options, f"--num-cpus={cpus}", "--num-gpus=0",
                "--node-ip-address=127.0.0.1", "--object-store-memory=100000000",
                f"--dashboard-agent-listen-port={listening}",
                f"--dashboard-agent-grpc-port={agent}", f"--runtime-env-agent-port={runtime}",
                f"--metrics-export-port={metrics}", "--disable-usage-stats", "--block",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder,
            env=os.environ | {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1",
                              "RAY_agent_register_timeout_ms": "300000",
                              "PATH": f"{ray.parent}:{os.environ['PATH']}"},
        )  # fmt: skip
        stack.callback(end, process)
        if all(_listens(port, process) for port in (*ports, listening)):
            return process
        end(process)
    raise TimeoutError("The Ray node does not start.")


def _listens(port: int, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.1)
    return False


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a node with everything that it started."""
    with suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        for one in family:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(family, timeout=10)
    process.wait()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
