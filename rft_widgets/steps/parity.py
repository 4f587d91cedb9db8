"""Whether a grader compiled for elsewhere grades as it does here: the same outputs, both ways."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, structs

from rft_widgets.errors import InvalidArgument, RftError, RunInterrupted
from rft_widgets.graders.compile import CompiledFiles, Target, drive, target_of
from rft_widgets.graders.compile.hosted import row_fields
from rft_widgets.graders.compile.reading import text_of
from rft_widgets.graders.compiled import CompiledGrader, parts_of
from rft_widgets.graders.rewards import normalized_reward
from rft_widgets.graders.sample import sample_of
from rft_widgets.graders.sandbox.host import UNSAFE_VARIABLE
from rft_widgets.model.grader import Grader
from rft_widgets.model.message import FunctionCall, Message, ToolCall, to_json
from rft_widgets.model.parity import TOLERANCE, OutputKind, ParityDifference, ParityReport
from rft_widgets.model.record import RecordInput
from rft_widgets.steps.dry_run import Answer

_PERTURBED: tuple[OutputKind, ...] = ("empty", "truncated", "other", "unicode", "tool_call")
_STRANGE = "  naïve Ω≈ç √ 漢字 שלום 👩‍🔬 e\u0301 \u202edesrever\u202c \u0000 ﬁn\u00a0\u2028 İ ß"
_POLL_S = 0.05
_STAND_IN = "A stand-in was used for the classes of eval-protocol; its own runs need the package."


class ParityOutput(Struct, frozen=True, kw_only=True):
    """An output to be graded, recorded or made up."""

    record_id: str
    kind: OutputKind
    input: RecordInput
    item: dict[str, Any]
    output: tuple[Message, ...]


class Result(Struct, frozen=True):
    """A reward, or why there is none."""

    reward: float | None
    error: str | None


def parity_outputs(answers: Sequence[Answer], n: int, seed: int = 0) -> list[ParityOutput]:
    """Outputs to compare on: half of them recorded, where there are so many; others made of them.

    Parameters
    ----------
    answers
        Recorded answers; the same ones and the same seed give the same outputs.
    n
        How many.
    seed
        Of what is made up.

    Raises
    ------
    InvalidArgument
        There is no recorded answer, or ``n`` is below 1.
    """
    if n < 1:
        raise InvalidArgument(f"n is {n}; it must be at least 1.")
    recorded = [one for one in answers if one.output]
    if not recorded:
        raise InvalidArgument("There is no recorded answer to grade.")
    chance = random.Random(seed)  # noqa: S311 - no secret
    kept = recorded[: max(1, (n + 1) // 2)]
    made = [_output(one, "recorded", one.output or ()) for one in kept]
    while len(made) < n:
        place = len(made) - len(kept)
        kind = _PERTURBED[place % len(_PERTURBED)]
        answer = recorded[(place // len(_PERTURBED)) % len(recorded)]
        made.append(_output(answer, kind, _changed(kind, answer, recorded, chance)))
    return made[:n]


def check_parity(
    compiled: CompiledGrader,
    files: CompiledFiles,
    outputs: Sequence[ParityOutput],
    *,
    environment: Mapping[str, str] | None = None,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] = bool,
) -> ParityReport:
    """Grade outputs here and with a compiled folder, and list where they differ.

    The folder grades in a process of its own that cannot import this package, and that gets nothing
    of this one's environment.

    Parameters
    ----------
    compiled
        The grader, ready; stays open.
    files
        What `write_grader` made of it.
    outputs
        As `parity_outputs` gives them.
    environment
        Variables for that process: where its judges are asked.
    progress
        Called with the share that is done and what is being done.
    cancelled
        Asked often.

    Raises
    ------
    InvalidArgument
        A service reads what was compiled: see `check_service_form`.
    RftError
        The folder does not run at all.
    RunInterrupted
        It was cancelled.
    """
    target = target_of(files.target)
    if not target.runs_here:
        raise InvalidArgument(
            f"{target.title} reads the grader's JSON itself: there is nothing to run here.",
            hint="Hold the JSON against the grader with check_service_form().",
        )
    handed = [(one, answer) for one in outputs if (answer := _carried(one, target)) is not None]
    tell = progress or (lambda _share, _doing: None)
    began = time.perf_counter()
    here = list(_graded_here(compiled, [one for one, _ in handed], tell, cancelled))
    middle = time.perf_counter()
    there = _graded_there(files, handed, environment or {}, tell, cancelled)
    ended = time.perf_counter()
    report = _compared(target, [one for one, _ in handed], here, there)
    return structs.replace(
        report,
        not_carried=len(outputs) - len(handed),
        seconds_here=middle - began,
        seconds_compiled=ended - middle,
        note=_STAND_IN if target.name == "eval-protocol" else "",
    )


def check_service_form(
    compiled: CompiledGrader,
    read_back: CompiledGrader,
    target: Target,
    outputs: Sequence[ParityOutput],
    *,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] = bool,
) -> ParityReport:
    """Grade outputs with a grader and with the JSON that a service gets of it, both here.

    That says whether the JSON means the same grader, and nothing of how the service reads it.

    Parameters
    ----------
    compiled, read_back
        The grader, and the JSON of `service_form` as a grader; both stay open.
    target
        Whose form it is.
    outputs, progress, cancelled
        As for `check_parity`.
    """
    tell = progress or (lambda _share, _doing: None)
    began = time.perf_counter()
    here = list(_graded_here(compiled, outputs, tell, cancelled))
    middle = time.perf_counter()
    rows = [structs.replace(one, item=one.item | row_fields(one.input)) for one in outputs]
    there = list(_graded_here(read_back, rows, lambda share, doing: tell(share + 0.5, doing),
                              cancelled))  # fmt: skip
    return structs.replace(
        _compared(target, outputs, here, there),
        seconds_here=middle - began,
        seconds_compiled=time.perf_counter() - middle,
        note=f"{target.title} reads the JSON itself; it was read again and graded here.",
    )


def repeats_of(grader: Grader) -> int:
    """How often a grader asks the same thing on purpose, as a panel of judges does."""
    like = Counter(msgspec.json.encode(structs.replace(part, name="")) for part in parts_of(grader))
    return max(like.values())


def _compared(
    target: Target,
    outputs: Sequence[ParityOutput],
    here: Sequence[Result],
    there: Sequence[Result],
) -> ParityReport:
    differences = tuple(
        ParityDifference(
            record_id=one.record_id,
            kind=one.kind,
            here=ours.reward,
            compiled=theirs.reward,
            here_error=ours.error,
            compiled_error=theirs.error,
        )
        for one, ours, theirs in zip(outputs, here, there, strict=True)
        if not _equal(ours.reward, theirs.reward)
    )
    return ParityReport(
        target=target.title,
        n=len(outputs),
        equal=len(outputs) - len(differences),
        failed=sum(a.reward is b.reward is None for a, b in zip(here, there, strict=True)),
        kinds=dict(Counter(one.kind for one in outputs)),
        differences=differences,
    )


def _output(answer: Answer, kind: OutputKind, output: tuple[Message, ...]) -> ParityOutput:
    return ParityOutput(
        record_id=answer.record_id,
        kind=kind,
        input=answer.input,
        item=answer.item,
        output=output,
    )


def _changed(
    kind: OutputKind, answer: Answer, recorded: Sequence[Answer], chance: random.Random
) -> tuple[Message, ...]:
    text = "\n".join(one.text for one in answer.output or () if one.role == "assistant")
    match kind:
        case "truncated":
            return (Message("assistant", text[: chance.randrange(len(text) + 1)]),)
        case "other":
            return chance.choice(recorded).output or ()
        case "unicode":
            place = chance.randrange(len(text) + 1)
            return (Message("assistant", text[:place] + _STRANGE + text[place:]),)
        case "tool_call":
            return (_call(answer, text, chance),)
    return (Message("assistant", ""),)


def _call(answer: Answer, text: str, chance: random.Random) -> Message:
    """Calls a tool on offer, or one that is not, with the answer's text as its argument."""
    names = [tool.function.name for tool in answer.input.tools if tool.function is not None]
    name = chance.choice(names) if names else "look_up"
    arguments = json.dumps({"query": text[:200], "n": chance.randrange(10)}, ensure_ascii=False)
    call = ToolCall("function", "call_0", FunctionCall(name, arguments))
    return Message("assistant", None, tool_calls=(call,))


def _carried(one: ParityOutput, target: Target) -> Any:
    """The answer in the form in which the target hands it over; ``None`` where it cannot."""
    if target.carries == "messages":
        return to_json(one.output)
    if len(one.output) != 1 or one.output[0].role != "assistant":
        return None
    message = one.output[0]
    if target.carries == "message":
        return to_json(message)
    return None if message.tool_calls and not one.input.tools else text_of(message)


def _graded_here(
    compiled: CompiledGrader,
    outputs: Sequence[ParityOutput],
    tell: Callable[[float, str], None],
    cancelled: Callable[[], bool],
) -> Iterator[Result]:
    pairs = ((sample_of(one.input, one.output), one.item) for one in outputs)
    for done, result in enumerate(compiled.grade_many(pairs), 1):
        yield Result(normalized_reward(compiled.grader, result), result.error)
        if done % 20 == 0:
            tell(done / len(outputs) / 2, f"Graded {done:,} of {len(outputs):,} outputs here")
            _stop_if(cancelled)


def _graded_there(
    files: CompiledFiles,
    handed: Sequence[tuple[ParityOutput, Any]],
    environment: Mapping[str, str],
    tell: Callable[[float, str], None],
    cancelled: Callable[[], bool],
) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="rft-parity-") as folder:
        cases, results = Path(folder, "cases.jsonl"), Path(folder, "results.jsonl")
        with cases.open("w", encoding="utf-8") as file:
            for one, answer in handed:
                file.write(f"{json.dumps({'answer': answer, 'item': one.item})}\n")
        entry = files.entry.resolve()
        process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own files
            [
                sys.executable, "-I", "-B", drive.__file__,
                files.target, str(entry), str(cases), str(results),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=_PLAIN | dict(environment),
            cwd=folder,
        )  # fmt: skip
        said = _waited_for(process, results, len(handed), tell, cancelled)
        if process.returncode:
            last = said.strip().splitlines()[-1:] or [f"it ended with {process.returncode}"]
            raise RftError(
                f"The compiled grader in {files.folder} does not run: {last[0]}",
                hint="Export it again; if that does not help, run the file by hand.",
            )
        lines = results.read_text("utf-8").splitlines()
    return [Result(**json.loads(line)) for line in lines]


def _waited_for(
    process: subprocess.Popen[bytes],
    results: Path,
    n: int,
    tell: Callable[[float, str], None],
    cancelled: Callable[[], bool],
) -> str:
    """Wait for the process; what it said on its error output."""
    try:
        while True:
            try:
                said = process.communicate(timeout=_POLL_S)[1]
            except subprocess.TimeoutExpired:
                _stop_if(cancelled)
                tell(0.5 + _share(results, n), "Grading with the compiled grader")
            else:
                return said.decode(errors="replace")
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def _share(results: Path, n: int) -> float:
    done = results.read_bytes().count(b"\n") if results.exists() else 0
    return done / max(n, 1) / 2


_PLAIN = {
    "LC_ALL": "C.UTF-8",
    **{
        name: os.environ[name]
        for name in ("PATH", "LD_LIBRARY_PATH", UNSAFE_VARIABLE)
        if name in os.environ
    },
}
"""Environment of that process: where programs and libraries are, and an operator's override."""


def _equal(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= TOLERANCE


def _stop_if(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise RunInterrupted("The comparison was stopped.", hint="Begin it again any time.")
