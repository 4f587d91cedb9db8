"""Statistics of scores: descriptions, intervals, pass@k, agreement, paired comparison, balance.

Plain functions on plain sequences. A grading that failed has no score: functions refuse ``None``,
NaN and infinity with `InvalidArgument`, so that a caller leaves such gradings out on purpose.
Whatever draws random numbers takes a ``seed`` and gives the same result for the same data,
in whatever order the records came.
"""

from __future__ import annotations

from rft_widgets.statistics.balance import balance_score, normalized_entropy, total_variation
from rft_widgets.statistics.calibration import brier, expected_calibration_error
from rft_widgets.statistics.comparison import (
    IndependentDifference,
    PairedDifference,
    Verdict,
    holm,
    independent_difference,
    paired_difference,
)
from rft_widgets.statistics.description import BIN_EDGES, Description, bins_of, describe
from rft_widgets.statistics.few import Confusion, bounded_mean, confusion
from rft_widgets.statistics.intervals import (
    Interval,
    IntervalMethod,
    bootstrap_mean,
    samples_to_decide,
)
from rft_widgets.statistics.ordering import ordering
from rft_widgets.statistics.raters import (
    AgreementReport,
    KappaWeights,
    agreement,
    agreement_report,
    cohen_kappa,
    spearman,
)
from rft_widgets.statistics.repeats import (
    VarianceComponents,
    mixed_share,
    pass_at_k,
    pass_hat_k,
    variance_components,
)
from rft_widgets.statistics.simultaneous import JointDifference, joint_differences
from rft_widgets.statistics.thresholds import FittedThreshold, fit_threshold

__all__ = [
    "BIN_EDGES",
    "AgreementReport",
    "Confusion",
    "Description",
    "FittedThreshold",
    "IndependentDifference",
    "Interval",
    "IntervalMethod",
    "JointDifference",
    "KappaWeights",
    "PairedDifference",
    "VarianceComponents",
    "Verdict",
    "agreement",
    "agreement_report",
    "balance_score",
    "bins_of",
    "bootstrap_mean",
    "bounded_mean",
    "brier",
    "cohen_kappa",
    "confusion",
    "describe",
    "expected_calibration_error",
    "fit_threshold",
    "holm",
    "independent_difference",
    "joint_differences",
    "mixed_share",
    "normalized_entropy",
    "ordering",
    "paired_difference",
    "pass_at_k",
    "pass_hat_k",
    "samples_to_decide",
    "spearman",
    "total_variation",
    "variance_components",
]
