import { fireEvent, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { address, openDataset, press, settle, takeDownApp } from "../testing";

afterEach(takeDownApp);

const INFO = {
  ...{ id: "ds_1", name: "Support desk", objective: "Better answers", source: "upload" },
  ...{ created_at: "2026-01-01T00:00:00Z", updated_at: "2026-01-02T00:00:00Z" },
  ...{ revision: 3, reset_at: null },
};
const SETTINGS = {
  info: INFO,
  stats: {
    ...{ total_records: 658, valid_records: 640, invalid_records: 18, generated_records: 0 },
    ...{ topics_count: 12, balance_score: 0.26, dry_run_status: "go", dry_run_mean: 0.51 },
    training_runs: 1,
  },
  costs: {
    judge: {
      ...{ calls: 120, cached: 0, failed: 2, uncertain: 0 },
      ...{ prompt_tokens: 40_000, completion_tokens: 8_000, cost_micro_usd: 420_000 },
    },
  },
  total: {
    ...{ calls: 120, cached: 0, failed: 2, uncertain: 0 },
    ...{ prompt_tokens: 40_000, completion_tokens: 8_000, cost_micro_usd: 420_000 },
  },
  connections: [
    {
      ...{ used_by: "Grader", model: "judge-1", base_url: "https://judge.example/v1" },
      ...{ key_from: "JUDGE_KEY", missing: "The environment variable JUDGE_KEY is not set." },
    },
  ],
};

async function openSettings() {
  const shown = await openDataset("optimization/ds_1/settings");
  await settle(() => shown.dataset.answer("settings", SETTINGS));
  return shown;
}

const type = (label: string, value: string) =>
  settle(() => fireEvent.change(screen.getByLabelText(label), { target: { value } }));

describe("settings", () => {
  it("save what was changed on what was seen", async () => {
    const { dataset } = await openSettings();
    const save = screen.getByRole<HTMLButtonElement>("button", { name: "Save Changes" });
    expect(save.disabled).toBe(true);
    await type("Dataset name", "Help desk");
    await press("Save Changes");
    expect(dataset.calls("save_settings")[0]?.params).toEqual({ seen: INFO, name: "Help desk" });
    await settle(() => dataset.answer("save_settings", { ...INFO, name: "Help desk" }));
    expect(document.querySelector(".rft-toast")?.textContent).toContain("Saved");
  });

  it("keep what was typed when somebody else changed it, and say to what", async () => {
    const { dataset } = await openSettings();
    await type("Dataset name", "Help desk");
    await settle(() => dataset.set("revision", 1));
    const now = { ...INFO, name: "Desk of others" };
    await settle(() => dataset.answer("settings", { ...SETTINGS, info: now }));
    await press("Save Changes");
    const message = "Somebody else changed this meanwhile. The name is 'Desk of others' by now.";
    await settle(() =>
      dataset.refuse("save_settings", { code: "stale_edit", message, hint: null }),
    );
    expect(screen.getByRole("alert").textContent).toContain("Desk of others");
    expect(screen.getByLabelText<HTMLInputElement>("Dataset name").value).toBe("Help desk");
    await press("Keep Mine");
    await press("Save Changes");
    expect(dataset.calls("save_settings").at(-1)?.params).toEqual({ seen: now, name: "Help desk" });
  });

  it("ask before what was typed is lost, also by the browser's button", async () => {
    await openSettings();
    await type("Training objective", "Faster answers");
    await settle(() => fireEvent.click(screen.getByRole("link", { name: /^Back to the/ })));
    expect(screen.getByRole("alertdialog").textContent).toContain("has not been saved");
    expect(address()).toBe("optimization/ds_1/settings");
    await press("Cancel");
    await settle(() => fireEvent.click(screen.getByRole("link", { name: /^Back to the/ })));
    await press("Leave Without Saving");
    expect(address()).toBe("optimization/ds_1");
  });

  it("name where keys come from, and what is missing", async () => {
    const { el } = await openSettings();
    expect(el.textContent).toContain("From JUDGE_KEY");
    expect(el.textContent).toContain("The environment variable JUDGE_KEY is not set.");
  });

  it("say what asking models came to", async () => {
    await openSettings();
    const stats = screen.getByRole("region", { name: "Statistics" }).textContent;
    expect(stats).toContain("Calls to models120120 to judge");
    expect(stats).toContain("Tokens48,000");
    expect(stats).toContain("Spent on models$0.42");
  });

  it("ask before a reset and before the end", async () => {
    const { app, dataset } = await openSettings();
    await press("Reset Pipeline");
    expect(screen.getByRole("alertdialog").textContent).toContain("Records will be preserved.");
    await press("Reset");
    expect(dataset.calls("reset_pipeline")).toHaveLength(1);
    await press("Delete Dataset");
    expect(screen.getByRole("alertdialog").textContent).toContain("“Support desk” and all 658");
    await press("Delete");
    await settle(() => app.answer("delete_dataset", null));
    expect(address()).toBe("optimization");
  });
});
