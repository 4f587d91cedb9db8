"""The worker process, and the jobs that it does."""

from __future__ import annotations

import argparse
import contextlib
import logging
import logging.handlers
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from rft_widgets.cli.output import open_workspace, print_json, print_table, quiet
from rft_widgets.dataset.job import Job
from rft_widgets.jobs.running import left_to_worker
from rft_widgets.model.job import JobState
from rft_widgets.store.connection import Store
from rft_widgets.worker.process import LOG_FILE, Worker, held_lock

_LOG_BYTES = 2 * 1024**2
_LOGS = 3


def work(options: argparse.Namespace) -> int:
    """Do jobs until Ctrl-C or SIGTERM."""
    store = Store(options.database)
    lock = held_lock(store.side_folder) if store.is_sqlite else contextlib.nullcontext()
    with lock:
        log = _log_to(store.side_folder / LOG_FILE)
        worker = Worker(store, is_alone=store.is_sqlite)

        def stop(_number: int, _frame: FrameType | None) -> None:
            worker.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        logging.getLogger(__name__).info("Worker %s begins on %s.", os.getpid(), store.url)
        if options.json:
            print_json({"database": store.url, "pid": os.getpid(), "log": str(log)})
        else:
            print(f"At work on {store.url}. Ctrl-C ends it; jobs then wait. Log: {log}", flush=True)
        has_stopped = worker.run()
        logging.shutdown()
        if not has_stopped:  # a thread that does not listen would keep the process
            sys.stdout.flush()
            os._exit(0)
    store.close()
    return 0


def jobs(options: argparse.Namespace) -> int:
    """List jobs; or show the log of one, stop it, or begin it again."""
    with open_workspace(options) as workspace:
        if options.log:
            job = workspace.job(options.log)
            if options.json:
                print_json([{"at": at, "message": message} for at, message in job.log])
            else:
                for at, message in job.log:
                    print(f"{at.astimezone():%Y-%m-%d %H:%M:%S}  {message}")
            return 0
        if options.cancel:
            job = workspace.job(options.cancel)
            job.cancel()
            return _told(job, options)
        if options.retry:
            job = workspace.job(options.retry).retry()
            if not left_to_worker():
                _wait(job)
            return _told(job, options)
        states = workspace.job_states(dataset=options.dataset)
        if options.json:
            print_json(states)
            return 0
        names = {dataset.id: dataset.name for dataset in workspace.datasets()}
        print_table(
            (
                (one.id, names.get(one.dataset_id or "", ""), one.title, one.status,
                 f"{one.created_at.astimezone():%Y-%m-%d %H:%M}", _words(one))
                for one in states
            ),
            head=("job", "dataset", "what", "status", "asked for", ""),
        )  # fmt: skip
    return 0


def _wait(job: Job) -> None:
    """Wait for a job of this process; Ctrl-C stops it where it can be taken up again."""
    try:
        job.wait()
    except KeyboardInterrupt:
        job.cancel()
        job.wait()


def _told(job: Job, options: argparse.Namespace) -> int:
    state = job.state
    if options.json:
        print_json(state)
    with quiet(options):
        print(f"{state.title} ({state.id}): {state.status}. {_words(state)}".strip())
    return 1 if state.status == "failed" else 0


def _words(state: JobState) -> str:
    if state.problem is not None:
        return state.problem.message
    if state.is_at_work:
        share = "" if state.share is None else f"{state.share:.0%} "
        return f"{share}{state.doing}"
    return state.outcome


def _log_to(path: Path) -> Path:
    """Log to a file that only its owner reads, and that does not grow for ever."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=_LOG_BYTES, backupCount=_LOGS - 1, encoding="utf-8"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    # A line for each request to a model would push out everything else.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    return path
