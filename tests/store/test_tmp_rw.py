import time
import rft_widgets as rft
from tests.builders import draft


def test_x(workspace):
    ds = workspace.create("a")
    ds.add_records(draft(f"A question number {n}", id=f"r{n}") for n in range(4000))
    st = [f"stranger-with-a-longer-id-{n}-é'" for n in range(150000)]
    for what, sel in (
        ("ids", ds.select(ids=st + ["r1", "r2"])),
        ("ids all", ds.select(ids=st + [f"r{n}" for n in range(4000)])),
        ("exc", ds.select(except_ids=st + ["r1"])),
    ):
        t = time.time()
        n = sum(1 for _ in ds.iterate(sel))
        print(what, n, time.time() - t)
        t = time.time()
        n = ds.assign_topic(sel, "x")
        print(what, "assign", n, time.time() - t)
    t = time.time()
    d = ds.delete_records(sel)
    print("delete", time.time() - t)
