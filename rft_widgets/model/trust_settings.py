"""Every number of labelling answers and of a grader's trust card, documented and changeable."""

from __future__ import annotations

from msgspec import Struct


class TrustSettings(Struct, frozen=True, kw_only=True):
    """How answers are chosen for people to label, and when a card says something."""

    labels: int = 50
    """Answers that are drawn to be labelled, unless one asks for more or fewer."""
    most_labels: int = 1_000
    """Answers that a screen lets one ask for."""
    few: int = 30
    """Labelled answers below which a card says that they are too few to judge a grader."""
    few_of_a_kind: int = 5
    """Labelled answers of the rarer kind, passed or not, below which a card says so, too: what the
    grader does with that kind hangs on these."""
    few_clusters: int = 20
    """Conversations below which intervals are too narrow, whatever they are made from."""
    kappa_good: float = 0.6
    """Kappa from which agreement is substantial (Landis & Koch 1977)."""
    kappa_poor: float = 0.4
    """Kappa below which agreement is fair at best (Landis & Koch 1977)."""
    most_more_labels: int = 1_000
    """More labels than this are not asked for: the question is too close to call."""
    repeats: int = 3
    """Gradings of each answer that self-consistency is measured with, unless told otherwise."""
    most_repeats: int = 10
    """Gradings of each answer that one may ask for."""
    consistent: float = 0.9
    """Share of equal verdicts (0..1) below which a judge contradicts itself too often."""
    folds: int = 10
    """Parts of the labels that are left out in turn, where a cut is tried on labels that it was not
    chosen on."""
    cell_records: int = 200
    """Records of one cell of the confusion table that a card names, to open them."""
    shown_disagreements: int = 12
    """Answers on which grader and people are furthest apart that a card shows."""
    max_note_chars: int = 2_000
    """Longest note beside a label."""
    max_labeller_chars: int = 80
    """Longest name of a labeller."""


TRUST = TrustSettings()
