"""Graders: what makes a reward of a model's answer.

`load_grader` reads the public JSON form, `compile_grader` makes it ready, `CompiledGrader.grade`
gives a `GradingResult`, which hosted services' result objects look like, with one difference: a
grading that fails has no reward, where they give 0.
"""

from rft_widgets.graders.checking import check_grader, grader_faults
from rft_widgets.graders.compiled import CompiledGrader, compile_grader
from rft_widgets.graders.presets import PRESETS, Preset, preset, start
from rft_widgets.graders.sample import Sample, item_of, sample_of
from rft_widgets.graders.sandbox.host import Sandbox
from rft_widgets.graders.simple_form import from_config
from rft_widgets.graders.version import (
    canonical_json,
    dump_grader,
    grader_hash,
    load_grader,
    read_grader,
)

__all__ = [
    "PRESETS",
    "CompiledGrader",
    "Preset",
    "Sample",
    "Sandbox",
    "canonical_json",
    "check_grader",
    "compile_grader",
    "dump_grader",
    "from_config",
    "grader_faults",
    "grader_hash",
    "item_of",
    "load_grader",
    "preset",
    "read_grader",
    "sample_of",
    "start",
]
