import { fireEvent, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import type { ConnectionTest, ConnectionView } from "../../../contract.gen";
import { openDataset, press, settle, takeDownApp } from "../../testing";

afterEach(takeDownApp);

const VIEW: ConnectionView = {
  named: {
    ...{ name: "judge", model: "gpt-6-luna", embedding_model: null, concurrency: 8 },
    ...{ requests_per_minute: null, input_price: null, output_price: null },
    connection: {
      ...{ base_url: "https://api.openai.com/v1", api_key_env: "OPENAI_API_KEY" },
      ...{ timeout_s: 60, structured: true },
    },
  },
  ...{ missing: "", notice: "", input_price: 100_000, output_price: 500_000 },
  ...{ context: 1_050_000, test: null },
};
const TEST: ConnectionTest = {
  ...{ at: "2026-01-01T00:00:00Z", works: true, latency_s: 0.421, problem: null },
  ...{ models: ["gpt-6-luna", "gpt-6.1-sol"], shutdown_date: null, tools: true },
  ...{ json_schema: false, logprobs: null, embeddings: null, notice: "" },
  words: { json_schema: "HTTP 400: not supported" },
};

async function openModels(views: readonly ConnectionView[]) {
  const shown = await openDataset("optimization/ds_1/settings");
  await settle(() =>
    shown.dataset.answer("settings", {
      info: {
        ...{ id: "ds_1", name: "Support", objective: "", source: "upload", revision: 1 },
        ...{ created_at: "2026-01-01T00:00:00Z", updated_at: "2026-01-01T00:00:00Z" },
        reset_at: null,
      },
      stats: {
        ...{ total_records: 1, valid_records: 1, invalid_records: 0, generated_records: 0 },
        ...{ topics_count: 0, balance_score: null, dry_run_status: null, dry_run_mean: null },
        training_runs: 0,
      },
      connections: [],
      costs: {},
      total: {
        ...{ calls: 0, cached: 0, failed: 0, uncertain: 0, cost_micro_usd: 0 },
        ...{ prompt_tokens: 0, completion_tokens: 0 },
      },
    }),
  );
  await settle(() => shown.app.answer("connections", views));
  return shown;
}

const part = () => screen.getByRole("region", { name: "Models" });
const type = (label: string, value: string) =>
  settle(() => fireEvent.change(screen.getByLabelText(label), { target: { value } }));

describe("models", () => {
  it("show where a model is, what it costs, and what it was seen to do", async () => {
    await openModels([{ ...VIEW, notice: "It goes on 2027-01-14.", test: TEST }]);
    const text = part().textContent;
    expect(text).toContain("From OPENAI_API_KEY");
    expect(text).toContain("$0.10 in, $0.50 out, for a million tokens");
    expect(text).toContain("1,050,000 tokens");
    expect(text).toContain("It goes on 2027-01-14.");
    expect(text).toContain("Answered in 0.42 s.");
    const abilities = within(part()).getByRole("list", { name: "What it can do" });
    expect([...abilities.children].map((one) => one.textContent)).toEqual([
      ...["Tools: Yes", "Response schema: No", "Log probabilities: –", "Embeddings: –"],
    ]);
    expect(abilities.children[1]?.getAttribute("title")).toBe("HTTP 400: not supported");
  });

  it("are tested by a button, and say why one does not answer", async () => {
    const { app } = await openModels([VIEW]);
    await settle(() => fireEvent.click(screen.getByRole("button", { name: "Test judge" })));
    expect(app.calls("test_connection")[0]?.params).toEqual({ name: "judge" });
    expect(part().textContent).toContain("Testing…");
    const problem = { code: "model_refused", message: "HTTP 401.", hint: "Check the key." };
    const failed = { ...TEST, works: false, problem };
    await settle(() => app.answer("test_connection", failed));
    await settle(() => app.answer("connections", [{ ...VIEW, test: failed }]));
    expect(part().textContent).toContain("Does not answer");
    expect(part().textContent).toContain("HTTP 401. Check the key.");
  });

  it("are added with a name of a variable and never a key", async () => {
    const { app } = await openModels([]);
    expect(part().textContent).toContain("No model is connected yet.");
    await press("Add Connection");
    await type("Name", "local");
    await type("Base URL", "http://127.0.0.1:11434/v1");
    await type("Model", "qwen3");
    await type("Variable with the key", "sk-abc-123");
    const save = screen.getByRole<HTMLButtonElement>("button", { name: "Save" });
    expect(save.disabled).toBe(true);
    expect(screen.getByRole("alert").textContent).toContain("Never put the key itself here.");
    await type("Variable with the key", "LOCAL_KEY");
    await type("Dollars a million input tokens", "0.05");
    await press("Save");
    expect(app.calls("save_connection")[0]?.params).toEqual({
      named: {
        ...{ name: "local", model: "qwen3", embedding_model: null, concurrency: 8 },
        ...{ requests_per_minute: null, input_price: 50_000, output_price: null },
        connection: {
          ...{ base_url: "http://127.0.0.1:11434/v1", api_key_env: "LOCAL_KEY" },
          ...{ timeout_s: 60, structured: true },
        },
      },
    });
    const hint = "Set RFT_WIDGETS_CONNECTIONS.";
    await settle(() =>
      app.refuse("save_connection", { code: "invalid_argument", message: "Not allowed.", hint }),
    );
    expect(screen.getByRole("alert").textContent).toContain(hint);
    await press("Save");
    await settle(() => app.answer("save_connection", null));
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(document.querySelector(".rft-toast")?.textContent).toContain("Saved");
  });

  it("keep their name when they are changed, and ask before they go", async () => {
    const { app } = await openModels([{ ...VIEW, test: TEST }]);
    await settle(() => fireEvent.click(screen.getByRole("button", { name: "Edit judge" })));
    expect(screen.getByLabelText<HTMLInputElement>("Name").disabled).toBe(true);
    const offered = [...document.querySelectorAll("datalist option")];
    expect(offered.map((one) => one.getAttribute("value"))).toEqual(TEST.models);
    await press("Cancel");
    await settle(() => fireEvent.click(screen.getByRole("button", { name: "Remove judge" })));
    await press("Remove");
    expect(app.calls("remove_connection")[0]?.params).toEqual({ name: "judge" });
  });
});
