"""The commands about people's labels, and about whether a grader judges as they do."""

from __future__ import annotations

import argparse

from rft_widgets.cli.grade import cut
from rft_widgets.cli.output import open_workspace, print_json, print_table, progress_line, quiet
from rft_widgets.model.report import with_bounds
from rft_widgets.model.trust import TrustCard
from rft_widgets.model.trust_view import LEVEL_WORDS
from rft_widgets.steps.trust import label_words


def labels(options: argparse.Namespace) -> None:
    """List labels, take those of a field, or keep one."""
    with open_workspace(options) as workspace:
        dataset = workspace.dataset(options.dataset)
        if options.field is not None:
            taken = dataset.import_labels(
                options.field, labeller=options.labeller, scale=options.scale
            )
            with quiet(options):
                print(
                    f"{taken.imported:,} labels of {taken.labeller!r} taken, "
                    f"{taken.without:,} records without one."
                )
            if options.json:
                print_json(taken)
            return
        if options.label is not None:
            record_id, value = options.label
            given = int(value) if value.isdigit() else value
            person = {} if options.labeller is None else {"labeller": options.labeller}
            kept = dataset.label(record_id, given, scale=options.scale, note=options.note, **person)
            with quiet(options):
                print(f"{kept.labeller} says of {record_id}: {label_words(kept)}")
            if options.json:
                print_json(kept)
            return
        found = [one for one in dataset.labels if options.labeller in (None, one.labeller)]
    with quiet(options):
        print_table(
            (
                (
                    one.record_id,
                    one.labeller,
                    label_words(one),
                    "edited since" if one.is_stale else "",
                    cut(one.note),
                )
                for one in found
            ),
            ("record", "labeller", "label", "", "note"),
        )
    if options.json:
        print_json(found)


def trust(options: argparse.Namespace) -> None:
    """Make the trust card of a grader."""
    with open_workspace(options) as workspace:
        dataset = workspace.dataset(options.dataset)
        with progress_line() as progress:
            card = dataset.trust_card(
                version=options.version,
                labeller=options.labeller,
                repeats=options.repeats,
                against=options.against,
                max_cost_usd=options.max_cost,
                seed=options.seed,
                progress=progress,
            )
    with quiet(options):
        _print(card)
    if options.json:
        print_json(card)


def _print(card: TrustCard) -> None:
    print(f"{LEVEL_WORDS[card.level]}. {card.sentence}")
    for one in card.findings:
        print(f"  {one.tone:5} {one.sentence}")
    if card.against is not None:
        print(f"  {card.against.sentence}")
    print(
        f"\n  agreement {with_bounds(card.passed.agreement, '.0%')}, "
        f"kappa {with_bounds(card.passed.kappa)}, {card.labels:,} labelled answers"
    )
    counts = {(one.grader, one.human): one.count for one in card.cells}
    places = range(len(card.steps))
    print_table(
        (
            (name, *(counts.get((place, human), 0) for human in places))
            for place, name in enumerate(card.steps)
        ),
        ("grader \\ people", *card.steps),
    )
