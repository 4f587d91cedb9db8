import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ModelChoice } from "../contract.gen";
import { ModelSelect } from "./ModelSelect";

afterEach(cleanup);

const choice = (name: string, more: Partial<ModelChoice> = {}): ModelChoice => ({
  ...{ name, model: "m-1", notice: "", missing: "", works: null },
  ...more,
});

function show(more: Partial<Parameters<typeof ModelSelect>[0]> = {}) {
  const onChange = vi.fn();
  const all = { label: "Judge", value: null, choices: [choice("a"), choice("b")], onChange };
  const view = render(<ModelSelect {...all} {...more} />);
  return { onChange, text: view.container.textContent ?? "" };
}

const options = () => screen.getAllByRole("option").map((one) => one.textContent);

describe("ModelSelect", () => {
  it("offers the connections by name, and none where none will do", () => {
    const { onChange } = show({ none: "Recorded answers" });
    expect(options()).toEqual(["Recorded answers", "a · m-1", "b · m-1"]);
    const select = screen.getByLabelText("Judge");
    fireEvent.change(select, { target: { value: "b" } });
    expect(onChange).toHaveBeenLastCalledWith("b");
    fireEvent.change(select, { target: { value: "" } });
    expect(onChange).toHaveBeenLastCalledWith(null);
  });

  it("says what is to be known of the chosen one", () => {
    const choices = [choice("a", { missing: "K is not set.", notice: "Ends 2027.", works: false })];
    const { text } = show({ value: "a", choices });
    expect(text).toContain("K is not set.");
    expect(text).toContain("Ends 2027.");
    expect(text).not.toContain("did not answer"); // what is missing says why
    cleanup();
    const failed = show({ value: "a", choices: [choice("a", { works: false })] });
    expect(failed.text).toContain("did not answer when it was last tested");
  });

  it("says when the chosen one is no more, and how to add the first", () => {
    show({ value: "gone" });
    expect(screen.getByRole("alert").textContent).toContain("no connection gone any more");
    cleanup();
    expect(show({ choices: [] }).text).toContain("ws.add_connection(");
    cleanup();
    show({ choices: null });
    expect(screen.getByLabelText<HTMLSelectElement>("Judge").disabled).toBe(true);
  });
});
