"""The dry run: sample prompts, grade their answers, and say whether training is worth it.

`choose_sample` over all records, `make_answers` of the records it chose, `grade_answers` (which can
be interrupted and resumed), `run_probes`, `build_report`; `compare_runs` for two of them. Nothing
here knows of a database: what is worth storing is handed out and taken back.
"""

from rft_widgets.steps.dry_run.answers import Answer, Respond, grade_answers, make_answers
from rft_widgets.steps.dry_run.compare import PairBy, compare_runs
from rft_widgets.steps.dry_run.probes import probe_gradings, run_probes
from rft_widgets.steps.dry_run.report import build_report
from rft_widgets.steps.dry_run.rollouts import Rollout, Rollouts, rollout_workload, sampling
from rft_widgets.steps.dry_run.sample import (
    Candidate,
    PromptSample,
    SampledPrompt,
    choose_sample,
)

__all__ = [
    "Answer",
    "Candidate",
    "PairBy",
    "PromptSample",
    "Respond",
    "Rollout",
    "Rollouts",
    "SampledPrompt",
    "build_report",
    "choose_sample",
    "compare_runs",
    "grade_answers",
    "make_answers",
    "probe_gradings",
    "rollout_workload",
    "run_probes",
    "sampling",
]
