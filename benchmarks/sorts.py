"""First page in each order: for information, without a floor and without a target."""

from __future__ import annotations

from typing import get_args

from benchmarks.material import Material
from benchmarks.measure import Row, each, row
from benchmarks.pages import PAGE, dataset_id
from rft_widgets.dataset import OptimizationDataset
from rft_widgets.model.record import SortKey
from rft_widgets.store.connection import Store


def measure(material: Material) -> list[Row]:
    """One row an order: the median of up to 30 calls after a first one, fewer when it is slow."""
    store = Store(material.store())
    dataset = OptimizationDataset(store, dataset_id(material))
    rows = []
    for key in get_args(SortKey):
        dataset.records(sort=key, limit=PAGE)
        times = each(
            lambda sort: dataset.records(sort=sort, limit=PAGE),
            [key],
            repetitions=30,
            budget_s=2,
        )
        rows.append(row(f"first page of {PAGE} by {key}, p50", material.records, times.p50, "ms"))
    store.close()
    return rows


if __name__ == "__main__":
    from benchmarks.__main__ import main

    main(["--only", "sorts"])
