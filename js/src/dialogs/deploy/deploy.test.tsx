import { act, cleanup, fireEvent, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import type { TrainedModel } from "../../contract.gen";
import { answer, go, last, MARKUP, model, NODE, OVERVIEW, PAIR, press, show } from "./testing";

afterEach(cleanup);

describe("deploying", () => {
  it("waits for a model, and leads to training", async () => {
    await show(
      { ...OVERVIEW, models: [] },
      { ...NODE, status: "waiting", blocked_reason: "Complete training first" },
    );
    expect(screen.getByText("Complete training first")).toBeTruthy();
    expect(screen.queryByRole("tab")).toBeNull();
    expect(screen.getByRole("button", { name: "Open Train Model" })).toBeTruthy();
  });

  it("sends mode, names, ratio and upstream, never a key", async () => {
    await show(OVERVIEW);
    fireEvent.click(screen.getByRole("radio", { name: /^A\/B test/ }));
    const ratio = screen.getByLabelText("Users on the trained model, in percent");
    fireEvent.change(ratio, { target: { value: "20" } });
    fireEvent.blur(ratio);
    const put = (label: string, value: string) =>
      fireEvent.change(screen.getByLabelText(label), { target: { value } });
    put("Base URL", "https://api.example.com/v1");
    put("Variable that holds the key", "DESK_API_KEY");
    await press("Deploy");
    expect(last("deploy")).toEqual({
      ...{ job: "job_1", checkpoint: 5, mode: "ab_test", model: "", base_model: "", ratio: 20 },
      ...{ upstream_url: "https://api.example.com/v1", upstream_model: "" },
      ...{ api_key_env: "DESK_API_KEY", keep_exchanges: true },
    });
    await answer("deploy", "dep_1");
    expect(screen.getByRole("tab", { name: /Endpoints/ }).getAttribute("aria-selected")).toBe(
      "true",
    );
  });

  it("says why it was refused", async () => {
    await show(OVERVIEW);
    await press("Deploy");
    await act(async () => {
      model.refuse("deploy", { code: "invalid_argument", message: "No.", hint: "Do." });
    });
    expect(screen.getByRole("alert").textContent).toContain("No.Do.");
  });

  it("measures both models", async () => {
    await show(OVERVIEW);
    await press("Measure Now");
    expect(last("measure")).toEqual({ job: "job_1", checkpoint: 5 });
  });

  const LANGUAGE: TrainedModel = {
    ...(OVERVIEW.models[0] as TrainedModel),
    ...{ trainer: "GRPO by TRL", base_model: "/models/org/tiny" },
    serving: `By vLLM. ${MARKUP}`,
    checkpoints: [
      { step: 10, reward: 0.5 },
      { step: 20, reward: null },
    ],
    ...{ own_step: 20, served_step: 20 },
  };

  it("serves the checkpoint of a language model that was chosen", async () => {
    await show({ ...OVERVIEW, models: [LANGUAGE] });
    expect(document.body.textContent).toContain("GRPO by TRL, from org/tiny. Serving: By vLLM.");
    expect(document.body.textContent).not.toMatch(/recorded answer/);
    const choice = screen.getByLabelText<HTMLSelectElement>("Checkpoint");
    expect([...choice.options].map((one) => one.text)).toEqual([
      "Step 10: reward 0.50",
      "Step 20 (the run's choice)",
    ]);
    fireEvent.change(choice, { target: { value: "10" } });
    await press("Measure Now");
    expect(last("measure")).toEqual({ job: "job_1", checkpoint: 10 });
    await answer("measure", null);
    await press("Deploy");
    expect(last("deploy")).toMatchObject({ job: "job_1", checkpoint: 10 });
    expect(document.querySelector("img")).toBeNull();
  });

  it("says what is missing before a model can be served", async () => {
    await show({ ...OVERVIEW, models: [{ ...LANGUAGE, problem: "Install torch." }] });
    expect(screen.getByRole("alert").textContent).toContain("Install torch.");
    expect(screen.getByRole<HTMLButtonElement>("button", { name: "Deploy" }).disabled).toBe(true);
  });
});

describe("the playground", () => {
  it("asks both models, with what they earn side by side", async () => {
    await show(OVERVIEW);
    await go(/Playground/);
    await answer("prompts", [{ record_id: "r1", text: "Where is it?", topic: MARKUP }]);
    const ask = screen.getByRole<HTMLButtonElement>("button", { name: "Ask Both" });
    expect(ask.disabled).toBe(true);
    const prompt = screen.getByLabelText<HTMLTextAreaElement>("Prompt");
    fireEvent.change(prompt, { target: { value: " Hello " } });
    await press("Ask Both");
    expect(last("play")).toEqual({ job: "job_1", text: "Hello", checkpoint: 5 });
    await answer("play", PAIR);
    const trained = screen.getByRole("region", { name: "Trained" });
    expect(trained.textContent).toContain("Trained0.75+0.50");
    expect(trained.textContent).toContain("250 ms");
    expect(document.querySelector("img")).toBeNull();

    fireEvent.change(screen.getByLabelText("Validation prompt"), { target: { value: "r1" } });
    expect([prompt.value, prompt.readOnly]).toEqual(["Where is it?", true]);
    expect(screen.queryByRole("region", { name: "Trained" })).toBeNull();
    fireEvent.keyDown(prompt, { key: "Enter", ctrlKey: true });
    await answer("play_record", PAIR);
    expect(last("play_record")).toEqual({ job: "job_1", record: "r1", checkpoint: 5 });
  });

  it("says nothing of recorded answers where a language model wrote", async () => {
    await show(OVERVIEW);
    await go(/Playground/);
    await answer("prompts", []);
    fireEvent.change(screen.getByLabelText("Prompt"), { target: { value: "Hello" } });
    await press("Ask Both");
    const written = { source_record_id: null, similarity: null, tokens: 12 };
    await answer("play", {
      base: { ...PAIR.base, ...written, latency_s: null },
      tuned: { ...PAIR.tuned, ...written },
    });
    const [base, trained] = ["Base", "Trained"].map((name) => screen.getByRole("region", { name }));
    expect(base?.textContent).toContain("answered before · 12 tokens");
    expect(trained?.textContent).toContain("250 ms · 12 tokens");
    expect(trained?.innerHTML).not.toContain("record");
  });
});
