import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Problem, TrainerInfo, TrainingConfig } from "../../contract.gen";
import { HostProvider } from "../../host/bridge";
import { Navigator } from "../../host/navigation";
import { FakeModel } from "../../host/testing";
import { ModelFields } from "./ModelFields";
import { CONFIG, trainer } from "./testing";

afterEach(cleanup);

const SERVICE: TrainerInfo = trainer({
  ...{ needs_base_model: true, needs_connection: true },
  settings: [
    { name: "region", title: "Region", description: "Where.", example: "eu", is_required: false },
  ],
});

function show(config: Partial<TrainingConfig> = {}, refusal: Problem | null = null) {
  const settings = vi.fn();
  const stack = { places: [], open: vi.fn(), replace: vi.fn(), close: vi.fn(), settings };
  const onChange = vi.fn();
  render(
    <HostProvider model={new FakeModel()} signal={new AbortController().signal}>
      <Navigator components={new Map()} stack={stack}>
        <ModelFields
          trainer={SERVICE}
          config={{ ...CONFIG, ...config }}
          connections={[]}
          refusal={refusal}
          onChange={onChange}
        />
      </Navigator>
    </HostProvider>,
  );
  return { settings, onChange };
}

describe("what a trainer needs to be told", () => {
  it("leads to the settings where there is no connection yet", () => {
    const { settings } = show();
    fireEvent.click(screen.getByRole("button", { name: "Open Settings, Models" }));
    expect(settings).toHaveBeenCalled();
  });

  it("keeps what is optional in a fold, which is open where something is given", () => {
    const { onChange } = show({ settings: { region: "us" } });
    const region = screen.getByLabelText("Region");
    expect(region.closest("details")?.open).toBe(true);
    expect(screen.getByText("Optional (1 given)")).toBeTruthy();
    fireEvent.change(region, { target: { value: "" } });
    expect(onChange.mock.calls[0]?.[0].settings).toEqual({});
    cleanup();
    show();
    expect(screen.getByLabelText("Region").closest("details")?.open).toBe(false);
  });

  it("says a refusal beside the field that it names", () => {
    const of = (message: string) => ({ code: "invalid_argument", message, hint: null });
    show({ base_model: "/models/x" }, of("There is no folder /models/x."));
    expect(screen.getByRole("alert").textContent).toContain("/models/x");
    cleanup();
    show({}, of("Region is no region."));
    expect(screen.getByLabelText("Region").closest("details")?.open).toBe(true);
    expect(screen.getByRole("alert").textContent).toBe("Region is no region.");
  });
});
