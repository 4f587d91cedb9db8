import { act } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { HealthReport } from "../contract.gen";
import { mountWidget } from "../index";
import { mount } from "./mount";
import { portalContainer } from "./portal";
import { FakeModel } from "./testing";
import { readTheme } from "./theme";

const REPORT: HealthReport = {
  status: "attention",
  total: 2000,
  valid: 1999,
  invalid: 1,
  duplicates: 0,
  errors_by_code: { empty_messages: 1 },
  refused_lines: 0,
  recommendations: ["<b>Look</b> at one record."],
};

function show(traits: Record<string, unknown> = {}) {
  const model = new FakeModel({ report: REPORT, activity: "", problem: null, ...traits });
  const el = document.body.appendChild(document.createElement("div"));
  const life = new AbortController();
  let unmount = () => {};
  act(() => {
    unmount = mountWidget("health_bar", { model, el, signal: life.signal });
  });
  return { model, el, life, unmount };
}

afterEach(() => {
  document.body.replaceChildren();
  for (const name of Object.keys(document.body.dataset)) delete document.body.dataset[name];
});

describe("a mounted widget", () => {
  it("shows its traits and follows them", () => {
    const { model, el } = show();
    expect(el.textContent).toContain("1,999 valid records");
    expect(el.textContent).toContain("1 invalid (<1%)");
    expect(el.querySelector("b")).toBeNull(); // text, never markup
    act(() => model.set("report", { ...REPORT, status: "healthy", valid: 2000, invalid: 0 }));
    expect(el.textContent).toContain("Healthy");
    expect(el.querySelector("button")).toBeNull();
  });

  it("keeps its keys from the page's shortcuts", () => {
    const { el } = show();
    const heard = vi.fn();
    document.addEventListener("keydown", heard);
    el.querySelector("button")?.dispatchEvent(
      new KeyboardEvent("keydown", { bubbles: true, key: "Enter" }),
    );
    document.removeEventListener("keydown", heard);
    expect(heard).not.toHaveBeenCalled();
  });

  it("calls the kernel, and tells it when somebody looks", () => {
    const { model, el, unmount } = show();
    act(() => el.querySelector("button")?.click());
    expect(model.calls("view_issues")).toHaveLength(1);
    const [attached] = model.calls("attach");
    act(() => unmount());
    expect(model.calls("detach")[0]?.params).toEqual(attached?.params);
    expect(model.listening).toBe(0);
    expect(el.childElementCount).toBe(0);
  });

  it("ends with the view's signal, once", () => {
    const { model, life, unmount } = show();
    act(() => life.abort());
    act(() => unmount());
    expect(model.calls("detach")).toHaveLength(1);
    expect(model.listening).toBe(0);
  });

  it("tells the kernel before the page goes", () => {
    const { model } = show();
    act(() => void window.dispatchEvent(new Event("pagehide")));
    expect(model.calls("detach")).toHaveLength(1);
  });

  it("shows what went wrong in the kernel", () => {
    const problem = { code: "not_found", message: "There is no such dataset.", hint: "Look." };
    const { el } = show({ problem });
    expect(el.querySelector("[role=alert]")?.textContent).toContain("There is no such dataset.");
  });

  it("shows what went wrong on the page", () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const { el } = show({ report: { status: "attention" } });
    expect(el.querySelector("[role=alert]")?.textContent).toContain("This view failed");
  });

  it("keeps Lab's shortcuts and menu away", () => {
    const { el } = show();
    const root = el.firstElementChild as HTMLElement;
    expect(root.className).toBe("rft");
    for (const element of [root, portalContainer()]) {
      expect(element.getAttribute("data-lm-suppress-shortcuts")).toBe("true");
      expect(element.hasAttribute("data-jp-suppress-context-menu")).toBe(true);
    }
    expect(portalContainer()).toBe(portalContainer());
  });

  it("refuses a component that is not there", () => {
    const ctx = { model: new FakeModel(), el: document.createElement("div") };
    expect(() => mount(new Map(), "constructor", ctx)).toThrow('no component "constructor"');
  });
});

describe("the theme", () => {
  it("is Lab's in Lab, ours elsewhere", () => {
    const { dataset } = document.body;
    expect(readTheme()).toBe("app");
    dataset.jpThemeLight = "true";
    expect(readTheme()).toBe("lab-light");
    dataset.jpThemeLight = "false";
    expect(readTheme()).toBe("lab-dark");
    dataset.voila = "voila";
    expect(readTheme()).toBe("app");
  });
});
