import { cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { boxOf, show, sixRowsHigh, whereOf } from "./testing";

beforeEach(sixRowsHigh);
afterEach(cleanup);

describe("selected records", () => {
  it("a click on a checkbox selects exactly once and opens nothing", async () => {
    const { api } = await show();
    fireEvent.click(boxOf("r2"));
    expect((boxOf("r2") as HTMLInputElement).checked).toBe(true);
    expect(await screen.findByText("1 selected")).toBeTruthy();
    fireEvent.click(boxOf("r2").parentElement as HTMLElement);
    expect((boxOf("r2") as HTMLInputElement).checked).toBe(false);
    expect(screen.queryByLabelText("Record r2")).toBeNull();
    expect(api.size).toHaveBeenCalledTimes(1);
  });

  it("selects from the last one to here with Shift", async () => {
    const { key } = await show();
    fireEvent.click(boxOf("r1"));
    fireEvent.click(boxOf("r4"), { shiftKey: true });
    expect(await screen.findByText("4 selected")).toBeTruthy();
    for (const id of ["r1", "r2", "r3", "r4"]) {
      expect((boxOf(id) as HTMLInputElement).checked).toBe(true);
    }
    fireEvent.mouseDown(boxOf("r6"));
    key("X", { shiftKey: true });
    expect(await screen.findByText("6 selected")).toBeTruthy();
  });

  it("selects all of the filter as a filter, keeps it when that changes, and clears it", async () => {
    const { asked, api } = await show({ preset: { where: { valid: false }, badge: "Invalid" } });
    const all = () => screen.getByRole("checkbox", { name: "Select all records of this filter" });
    fireEvent.click(all());
    expect(await screen.findByText("1,000 selected")).toBeTruthy();
    expect(api.size).toHaveBeenLastCalledWith(
      { where: { valid: false }, except_ids: [], also_ids: [] },
      expect.anything(),
    );
    expect((boxOf("r3") as HTMLInputElement).checked).toBe(true);
    fireEvent.click(boxOf("r3"));
    expect((all() as HTMLInputElement).indeterminate).toBe(true);
    fireEvent.change(screen.getByRole("combobox", { name: "Validity" }), {
      target: { value: "valid" },
    });
    await waitFor(() => expect(whereOf(asked.at(-1))).toEqual({ valid: true }));
    expect(asked.at(-1)?.chosen).toEqual({ valid: false });
    expect(screen.getByText("1,000 selected")).toBeTruthy();
    await waitFor(() => expect((boxOf("r5") as HTMLInputElement).checked).toBe(false));
    fireEvent.click(screen.getByRole("button", { name: "Clear Selection" }));
    expect(screen.queryByText(/selected/)).toBeNull();
  });

  it("asks before it deletes", async () => {
    const { api } = await show();
    fireEvent.click(boxOf("r1"));
    await screen.findByText("1 selected");
    fireEvent.click(screen.getByRole("button", { name: "Delete Selected" }));
    expect(api.remove).not.toHaveBeenCalled();
    fireEvent.click(screen.getByRole("button", { name: "Delete 1 record" }));
    await waitFor(() => expect(api.remove).toHaveBeenCalledWith({ ids: ["r1"] }));
    await waitFor(() => expect(screen.queryByText(/selected/)).toBeNull());
  });

  it("says what a judge would cost before it grades, and takes a limit", async () => {
    const { api } = await show();
    api.estimateEvaluate = async () => ({
      ...{ calls: 3, prompt_tokens: 900, completion_tokens: 100 },
      ...{ cost_micro_usd: 40_000, minutes: null, past_error: null },
    });
    fireEvent.click(boxOf("r1"));
    await screen.findByText("1 selected");
    fireEvent.click(screen.getByRole("button", { name: "Evaluate" }));
    expect(await screen.findByText("About 3 calls, 1,000 tokens, $0.04.")).toBeTruthy();
    const cap = screen.getByLabelText("Most to spend, in dollars");
    fireEvent.change(cap, { target: { value: "0.50" } });
    fireEvent.click(screen.getByRole("button", { name: "Evaluate" }));
    await waitFor(() => expect(api.evaluate).toHaveBeenCalledWith({ ids: ["r1"] }, 0.5));
  });

  it("puts records under a topic, or under none", async () => {
    const { api } = await show();
    fireEvent.click(boxOf("r1"));
    await screen.findByText("1 selected");
    fireEvent.click(screen.getByRole("button", { name: "Assign Topic" }));
    fireEvent.change(screen.getByRole("combobox", { name: "Topic" }), { target: { value: "-1" } });
    fireEvent.click(screen.getByRole("button", { name: "Assign" }));
    await waitFor(() => expect(api.assignTopic).toHaveBeenCalledWith({ ids: ["r1"] }, null));
  });
});
