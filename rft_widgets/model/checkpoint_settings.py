"""Every number of the comparison of checkpoints, documented and changeable."""

from __future__ import annotations

from msgspec import Struct


class CheckpointSettings(Struct, frozen=True, kw_only=True):
    """How checkpoints are compared, and when a look at their answers calls for attention."""

    most: int = 16
    """Checkpoints that are compared at a time; of more, some that are spread evenly."""
    level: float = 0.95
    """Chance that all intervals of the comparison hold at once."""
    few_prompts: int = 30
    """Prompts below which the comparison says that small differences cannot be seen."""
    identical: float = 0.2
    """Share of answers that another prompt has, too, from which that is said. It has to have grown
    by half as much against the model from before, as have the shares below."""
    repetition: float = 0.2
    """Share of an answer's four-word sequences that stood in it before, from which it is said."""
    echo: float = 0.2
    """Share of answers that are mostly words of their prompt, from which it is said."""
    echo_overlap: float = 0.5
    """Share of an answer's five-word sequences that stand in the prompt, from which it echoes."""
    longer: float = 1.25
    """Growth of the mean length from which it is said."""
    long_answers: int = 20
    """Answers with both rewards that a rank correlation of length and reward needs."""


CHECKPOINTS = CheckpointSettings()
