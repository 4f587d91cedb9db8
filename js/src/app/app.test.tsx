import { fireEvent, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import {
  address,
  CARD,
  datasetModel,
  goBack,
  line,
  openDataset,
  press,
  settle,
  showApp,
  takeDownApp,
} from "./testing";

afterEach(takeDownApp);

describe("the list", () => {
  it("shows a card with what there is, as text, and a real link", async () => {
    const { app, el } = await showApp("optimization");
    expect(document.title).toBe("Your Datasets • RFT Pipeline");
    expect(screen.getByRole("status", { name: "Loading" })).toBeTruthy();
    await settle(() => app.answer("list_datasets", [CARD]));
    const link = screen.getByRole<HTMLAnchorElement>("link", { name: CARD.name });
    expect(link.getAttribute("href")).toBe("/user/me/optimization/ds_1");
    expect(el.querySelector("b")).toBeNull();
    expect(el.textContent).toContain("1,008 records • 7 topics • Balance: 0.72");
    expect(el.textContent).toContain(CARD.status_line);
    expect(screen.getByText("Topics & Category: attention")).toBeTruthy();
    await settle(() => fireEvent.click(link, { button: 0, ctrlKey: true }));
    expect(address()).toBe("optimization"); // the browser opens another tab
    await settle(() => fireEvent.click(link));
    expect(address()).toBe("optimization/ds_1");
    expect(app.calls("open_dataset")[0]?.params).toEqual({ dataset: "ds_1" });
  });

  it("keeps its search in the address, and says when nothing matches", async () => {
    const { app } = await showApp("optimization?search=desk&status=training");
    expect(app.calls("list_datasets")[0]?.params).toEqual({
      ...{ search: "desk", status: "training", sort: "updated" },
    });
    await settle(() => app.answer("list_datasets", []));
    expect(screen.getByText("No dataset matches")).toBeTruthy();
    await settle(() =>
      fireEvent.change(screen.getByLabelText("Sort by"), { target: { value: "name" } }),
    );
    expect(address()).toBe("optimization?search=desk&status=training&sort=name");
    await press("Show All Datasets");
    expect(address()).toBe("optimization");
  });

  it("offers a first dataset and the sample where there is none", async () => {
    const { app } = await showApp("optimization");
    await settle(() => app.answer("list_datasets", []));
    expect(screen.getByRole("link", { name: "Create Dataset" })).toBeTruthy();
    await press("Load the Sample");
    await settle(() => app.answer("load_sample", "ds_new"));
    expect(address()).toBe("optimization/ds_new");
  });

  it("asks with name and count before it deletes", async () => {
    const { app } = await showApp("optimization");
    await settle(() => app.answer("list_datasets", [CARD]));
    const more = screen.getByRole("button", { name: `More for ${CARD.name}` });
    await settle(() => fireEvent.keyDown(more, { key: "Enter" }));
    await settle(() => fireEvent.click(screen.getByRole("menuitem", { name: "Delete" })));
    const asked = screen.getByRole("alertdialog");
    expect(asked.textContent).toContain("“Support <b>desk</b>” and all 1,008 records");
    expect(app.calls("delete_dataset")).toEqual([]);
    await settle(() => fireEvent.click(within(asked).getByRole("button", { name: "Delete" })));
    expect(app.calls("delete_dataset")[0]?.params).toEqual({ dataset: "ds_1" });
  });

  it("says why it cannot be shown, and tries again", async () => {
    const { app } = await showApp("optimization");
    const problem = { code: "store_unavailable", message: "The store is away.", hint: null };
    await settle(() => app.refuse("list_datasets", problem));
    expect(screen.getByRole("alert").textContent).toContain("The store is away.");
    await press("Retry");
    await settle(() => app.answer("list_datasets", [CARD]));
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("works in a notebook without any address", async () => {
    const before = window.location.href;
    const { app, models } = await showApp();
    await settle(() => app.answer("list_datasets", [CARD]));
    models.set("page", datasetModel());
    await press(CARD.name);
    await settle(() => app.answer("open_dataset", "page"));
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe(
      "RFT Pipeline • Support desk",
    );
    await press("Back to Your Datasets");
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Your Datasets");
    expect(window.location.href).toBe(before);
  });
});

describe("a dataset's page", () => {
  it("says so of an unknown id, and leads back", async () => {
    const { app } = await showApp("optimization/ds_nope");
    await settle(() => app.refuse("open_dataset", { code: "not_found", message: "x", hint: null }));
    expect(screen.getByText("This dataset does not exist")).toBeTruthy();
    await settle(() => fireEvent.click(screen.getByRole("link", { name: /^Back to/ })));
    expect(address()).toBe("optimization");
  });

  it("keeps what is open in the address; back closes it", async () => {
    const { dataset } = await openDataset("optimization/ds_1");
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe(
      "RFT Pipeline • Support desk",
    );
    await press("Records");
    expect(address()).toBe("optimization/ds_1?records=true");
    expect(dataset.calls("open_records")).toHaveLength(1);
    expect(screen.getByRole("dialog", { name: "Records" })).toBeTruthy();
    await goBack();
    expect(address()).toBe("optimization/ds_1");
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("opens what a deep link names, and closing it leaves the page", async () => {
    const { dataset } = await openDataset("optimization/ds_1?node=4");
    expect(dataset.calls("open_dialog")[0]?.params).toEqual({ dialog: "grader" });
    await settle(() => fireEvent.click(screen.getByRole("button", { name: "Close" })));
    expect(address()).toBe("optimization/ds_1");
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("goes to the heading of the page that somebody went to", async () => {
    const { dataset } = await openDataset("optimization/ds_1");
    await settle(() => fireEvent.click(screen.getByRole("link", { name: "Settings" })));
    expect(address()).toBe("optimization/ds_1/settings");
    expect(dataset.calls("open_dialog")).toEqual([]);
  });
});

describe("jobs", () => {
  const failed = line({
    ...{ id: "run_2", status: "failed", title: "Dry run", share: null },
    problem: { code: "x", message: "The judge is away.", hint: "Try later." },
  });

  it("are counted on every page, and can be stopped, begun again and read", async () => {
    const { app } = await showApp("optimization", { jobs: [line(), failed] });
    await press("Jobs, 1 at work");
    const panel = screen.getByRole("dialog", { name: "Jobs" });
    expect(panel.textContent).toContain("Placing records");
    expect(panel.textContent).toContain("45%");
    expect(panel.textContent).toContain("The judge is away. Try later.");
    await press("Stop");
    expect(app.calls("stop_job")[0]?.params).toEqual({ job: "run_1" });
    await press("Retry");
    expect(app.calls("retry_job")[0]?.params).toEqual({ job: "run_2" });
    await settle(() =>
      fireEvent.click(within(panel).getAllByRole("button", { name: "Log" })[1] as HTMLElement),
    );
    expect(app.calls("job_log")[0]?.params).toEqual({ job: "run_2" });
    await settle(() =>
      app.answer("job_log", [{ at: "2026-01-01T00:00:00Z", message: "Begun by the worker." }]),
    );
    expect(panel.textContent).toContain("Begun by the worker.");
  });

  it("say on the canvas how the preparation failed, with a way to begin again", async () => {
    const jobs = [line({ ...failed.job, kind: "prepare", title: "Prepare the dataset" })];
    const shown = await showApp("optimization/ds_1", { jobs });
    shown.models.set("page", datasetModel());
    await settle(() => shown.app.answer("open_dataset", "page"));
    const note = screen.getByRole("list", { name: "Preparation" });
    expect(note.textContent).toContain("The judge is away.");
    await press("Retry");
    expect(shown.app.calls("retry_job")[0]?.params).toEqual({ job: "run_2" });
  });
});
