import { cleanup, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DeploymentView } from "../../contract.gen";
import { answer, DEPLOYMENT, go, last, MARKUP, model, OVERVIEW, press, show } from "./testing";

afterEach(cleanup);
beforeEach(() => {
  vi.stubGlobal("navigator", { clipboard: { writeText: vi.fn(async () => {}) } });
});

describe("an endpoint", () => {
  it("shows where it is and what went through it, as text", async () => {
    await show({ ...OVERVIEW, deployments: [DEPLOYMENT] });
    const card = screen.getByRole("article", { name: MARKUP });
    expect(card.textContent).toContain("http://127.0.0.1:8000/v1");
    expect(card.textContent).toContain("20 % of the users · base model gpt");
    expect(screen.getByRole("row", { name: /^Trained 1,200 1 12 ms/ })).toBeTruthy();
    expect(document.querySelector("img")).toBeNull();
  });

  it("asks for the token only when somebody wants it, and forgets it again", async () => {
    await show({ ...OVERVIEW, deployments: [DEPLOYMENT] });
    expect(model.calls("reveal")).toHaveLength(0);
    await press("Show Token");
    await answer("reveal", { token: "s3cret", snippet: "with s3cret" });
    expect(document.body.textContent).toContain("with s3cret");
    await press("Hide Token");
    expect(document.body.textContent).not.toContain("s3cret");
    await press("Copy Snippet");
    await answer("reveal", { token: "s3cret", snippet: "with s3cret" });
    expect(navigator.clipboard.writeText).toHaveBeenCalledWith("with s3cret");
    expect(document.body.textContent).not.toContain("s3cret");
  });

  it("shows what it cannot copy", async () => {
    vi.stubGlobal("navigator", {});
    await show({ ...OVERVIEW, deployments: [DEPLOYMENT] });
    await press("Copy Token");
    await answer("reveal", { token: "s3cret", snippet: "with s3cret" });
    expect(document.body.textContent).toContain("s3cret");
    expect(screen.getByText(/This page may not copy/)).toBeTruthy();
  });

  it("is rolled back after a question", async () => {
    await show({ ...OVERVIEW, deployments: [DEPLOYMENT] });
    await press("Roll Back");
    expect(model.calls("roll_back")).toHaveLength(0);
    const dialog = screen.getByRole("alertdialog");
    expect(dialog.textContent).toContain("gpt answers everything");
    await press("Roll Back"); // the one of the question: all else is hidden meanwhile
    expect(last("roll_back")).toEqual({ deployment: "dep_1" });
  });

  const STOPPED: DeploymentView = {
    ...DEPLOYMENT,
    ...{ served: "not_served", base_url: null, snippet: null },
  };

  it("that no server has can be started again, one that was rolled back says so", async () => {
    await show({ ...OVERVIEW, deployments: [STOPPED] });
    expect(screen.getByText("Not served")).toBeTruthy();
    await press("Start");
    expect(last("start")).toEqual({ deployment: "dep_1" });
    cleanup();
    await show({ ...OVERVIEW, deployments: [{ ...STOPPED, status: "rolled_back" }] });
    await go(/Endpoints/);
    expect(screen.getByText("Rolled back")).toBeTruthy();
    expect(screen.queryByText("Not served")).toBeNull();
    expect(screen.queryByRole("button", { name: "Roll Back" })).toBeNull();
  });

  it("of the worker says that it starts, why it is not served, and what it keeps", async () => {
    const kept = { by_worker: true } as const;
    await show({ ...OVERVIEW, deployments: [{ ...STOPPED, ...kept, served: "starting" }] });
    expect(screen.getByText("Starting…")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Start" })).toBeNull();
    cleanup();
    const said = `No worker is at work. ${MARKUP}`;
    await show({ ...OVERVIEW, deployments: [{ ...STOPPED, ...kept, said }] });
    expect(screen.getByText(said)).toBeTruthy();
    cleanup();
    const moved = { ...DEPLOYMENT, ...kept, said: "Port 8000 was taken." };
    await show({ ...OVERVIEW, deployments: [moved] });
    expect(screen.getByText("Port 8000 was taken.")).toBeTruthy();
    expect(screen.getByText(/Address and token stay the same/)).toBeTruthy();
  });
});
