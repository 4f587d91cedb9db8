"""Grades outputs with a compiled folder, as its framework would: a program of its own.

Run by its path, in an interpreter that cannot import rft_widgets::

    python -I drive.py TARGET ENTRY CASES RESULTS

``CASES`` has a line of JSON for each output (``answer`` and ``item``), ``RESULTS`` gets one for
each (``reward``, ``error``), in the same order. Standard library alone.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

Case = dict[str, Any]
BATCH = 64


def main(target: str, entry: str, cases: str, results: str) -> None:
    """Grade all cases."""
    sys.modules["rft_widgets"] = None  # type: ignore[assignment]  # whoever imports it fails
    if target == "eval-protocol":
        sys.modules.update(stand_in_for_eval_protocol())
    module: Any = _loaded(Path(entry))
    heard = module.GRADER = Heard(module.GRADER)
    lines = Path(cases).read_text("utf-8").splitlines()
    with Path(results).open("w", encoding="utf-8") as file:
        for start in range(0, len(lines), BATCH):
            batch = [json.loads(line) for line in lines[start : start + BATCH]]
            rewards = list(DRIVERS[target](module, batch))
            for reward, graded in zip(rewards, heard.taken(), strict=True):
                # What takes numbers alone has 0 for a grading that failed.
                failed = graded.reward is None and not reward
                made = {"reward": None if failed else reward, "error": graded.error}
                file.write(f"{json.dumps(made)}\n")


class Heard:
    """A grader that remembers why gradings failed: not every framework has a place for that."""

    def __init__(self, grader: Any) -> None:
        self._grader = grader
        self._graded: list[Any] = []
        self.read_item = grader.read_item

    def grade(self, answer: Any, item: Any) -> Any:
        """Grade one."""
        return self.grade_many([(answer, item)])[0]

    def grade_many(self, pairs: Iterable[tuple[Any, Any]]) -> list[Any]:
        """Grade several."""
        graded: list[Any] = self._grader.grade_many(pairs)
        self._graded += graded
        return graded

    def taken(self) -> list[Any]:
        """What was graded since the last time."""
        graded, self._graded = self._graded, []
        return graded


def _trl(module: Any, cases: Sequence[Case]) -> Iterator[float | None]:
    answers = [case["answer"] for case in cases]
    items = [json.dumps(case["item"]) for case in cases]
    yield from module.reward([""] * len(cases), answers, items, trainer_state=None)


def _verl(module: Any, cases: Sequence[Case]) -> Iterator[float]:
    for case in cases:
        found = module.compute_score("rft", case["answer"], json.dumps(case["item"]), {})
        yield found["score"]


def _openrlhf(module: Any, cases: Sequence[Case]) -> Iterator[float]:
    prompts = ["<|im_start|>user\nprompt<|im_end|>\n<|im_start|>assistant\n"] * len(cases)
    queries = [p + case["answer"] for p, case in zip(prompts, cases, strict=True)]
    # `reward_func` puts these into tensors of 32 bits.
    graded = module.grade_queries(queries, prompts, [json.dumps(case["item"]) for case in cases])
    yield from (one.reward or 0.0 for one in graded)


def _bedrock(module: Any, cases: Sequence[Case]) -> Iterator[float]:
    event = [
        {
            "id": str(place),
            "messages": [*case["item"].get("messages", ()), case["answer"]],
            "metadata": {key: one for key, one in case["item"].items() if key != "messages"},
        }
        for place, case in enumerate(cases)
    ]
    found = module.lambda_handler(json.loads(json.dumps(event)), None)
    for place, one in enumerate(found):
        assert one["id"] == str(place)  # noqa: S101 - the contract
        yield one["aggregate_reward_score"]


def _eval_protocol(module: Any, cases: Sequence[Case]) -> Iterator[float]:
    message, row = module.EvaluationRow.message, module.EvaluationRow
    function = next(one for name, one in vars(module).items() if name.startswith("test_"))
    for case in cases:
        said = [*case["item"].get("messages", ()), *case["answer"]]
        made = row(messages=[message(**one) for one in said], ground_truth=json.dumps(case["item"]))
        yield asyncio.run(function(made)).evaluation_result.score


DRIVERS: dict[str, Callable[[Any, Sequence[Case]], Iterator[float | None]]] = {
    "trl": _trl,
    "verl": _verl,
    "openrlhf": _openrlhf,
    "bedrock": _bedrock,
    "eval-protocol": _eval_protocol,
}


def stand_in_for_eval_protocol() -> dict[str, types.ModuleType]:
    """Modules with the few names of eval-protocol that a compiled file uses. They are not it."""

    class Values:
        def __init__(self, **values: Any) -> None:
            self.__dict__.update(values)

    class Message(Values):
        def model_dump(self, *, exclude_none: bool, exclude: set[str]) -> dict[str, Any]:
            kept = {key: value for key, value in vars(self).items() if key not in exclude}
            return {k: v for k, v in kept.items() if v is not None} if exclude_none else kept

    class Row(Values):
        message = Message

    def evaluation_test(**_: Any) -> Callable[[Any], Any]:
        return lambda function: function

    models = types.ModuleType("eval_protocol.models")
    models.__dict__.update(EvaluateResult=Values, EvaluationRow=Row, MetricResult=Values)
    testing = types.ModuleType("eval_protocol.pytest")
    testing.__dict__.update(SingleTurnRolloutProcessor=Values, evaluation_test=evaluation_test)
    whole = types.ModuleType("eval_protocol")
    return {one.__name__: one for one in (whole, models, testing)}


def _loaded(entry: Path) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(entry.stem, entry)
    assert spec is not None  # noqa: S101 - it ends with .py
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(*sys.argv[1:])
