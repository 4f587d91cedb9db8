import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { BeforeAfter, type Curve, Histogram, RewardCurves, TopicBars } from ".";

afterEach(cleanup);

describe("the histogram", () => {
  const bins = [
    { from: 0, to: 0.1, count: 3 },
    { from: 0.1, to: 0.2, count: 0 },
    { from: 0.2, to: 0.3, count: 1_200 },
  ];

  it("names each bin, and opens those that hold something", () => {
    const onBin = vi.fn();
    const marks = [{ at: 0.25, label: "mean" }];
    render(<Histogram bins={bins} label="Scores" marks={marks} onBin={onBin} />);
    expect(screen.getAllByRole("button").map((one) => one.ariaLabel)).toEqual([
      "0 to 0.1: 3 answers",
      "0.2 to 0.3: 1,200 answers",
    ]);
    expect(screen.getByRole("img").ariaLabel).toBe("0.1 to 0.2: 0 answers");
    fireEvent.click(screen.getByRole("button", { name: "0.2 to 0.3: 1,200 answers" }));
    expect(onBin).toHaveBeenCalledExactlyOnceWith(bins[2]);
    expect(screen.getByRole("group", { name: "Scores" }).textContent).toContain("mean: 0.25");
  });

  it("keeps the labels of marks apart, and inside", () => {
    const marks = [
      { at: 0.1, label: "mean 0.10" },
      { at: 0.11, label: "median 0.11" },
      { at: 0.3, label: "p90" },
    ];
    const { container } = render(<Histogram bins={bins} label="Scores" marks={marks} />);
    const labels = [...container.querySelectorAll(".rft-chart-mark text")];
    expect(labels.map((one) => one.textContent)).toEqual(marks.map((one) => one.label));
    const [first, second, third] = labels.map((one) => one.getAttribute("y"));
    expect(second).not.toBe(first);
    expect(third).toBe(first);
    expect(labels.map((one) => one.getAttribute("text-anchor"))).toEqual(["start", "start", "end"]);
  });

  it("counts in whole numbers", () => {
    const { container } = render(<Histogram bins={bins.slice(0, 2)} label="Scores" />);
    const one = [{ from: 0, to: 0.1, count: 1 }];
    const few = render(<Histogram bins={one} label="Few" />);
    const counts = (root: Element) =>
      [...root.querySelectorAll(".rft-axes > g text")].map((text) => text.textContent);
    expect(counts(few.container)).toEqual(["0", "1"]);
    expect(counts(container)).toEqual(["0", "1", "2", "3"]);
  });

  it("draws heights in proportion, and nothing for nothing", () => {
    const { container } = render(<Histogram bins={bins} label="Scores" />);
    const heights = [...container.querySelectorAll<HTMLElement>(".rft-chart-bin > span")].map(
      (bar) => Number.parseFloat(bar.style.height),
    );
    expect(heights[1]).toBe(0);
    expect(heights[0]).toBeGreaterThanOrEqual(2);
    expect(heights[2]).toBeGreaterThan(140);
    render(<Histogram bins={[]} label="Nothing" />);
    expect(screen.getByRole("group", { name: "Nothing" })).toBeTruthy();
  });
});

describe("bars of topics", () => {
  const XSS = "<img src=x onerror=alert(1)>";

  it("says count, share, target, gap and how it stands without colours", () => {
    const onTopic = vi.fn();
    const rows = [
      { topic: XSS, count: 12, share: 0.4, target: 0.2, status: "over" as const },
      {
        ...{ topic: "Returns", count: 3, share: 0.0625, target: 0.2, status: "under" as const },
        gap: { points: 13.75, records: 1200 },
      },
      { topic: "Other", count: 0, share: 0, target: null, status: "none" as const },
    ];
    const { container } = render(<TopicBars rows={rows} onTopic={onTopic} />);
    const cells = (name: RegExp) =>
      [...screen.getByRole("row", { name }).querySelectorAll("td")].map((one) => one.textContent);
    expect(cells(/^<img/)).toEqual(["12", "40.0%", "20.0%", "–", "–", "↑ Too many"]);
    // Halves as Python rounds them.
    expect(cells(/^Returns/)).toEqual(["3", "6.2%", "20.0%", "+13.8", "+1,200", "↓ Too few"]);
    expect(cells(/^Other/)).toEqual(["0", "0.0%", "–", "–", "–", " "]);
    expect(container.querySelector("img")).toBeNull();
    fireEvent.click(screen.getByRole("button", { name: "Returns" }));
    expect(onTopic).toHaveBeenCalledExactlyOnceWith("Returns");
  });

  it("shows no gaps where none are given, and no buttons where nobody listens", () => {
    const rows = [{ topic: "A", count: 1, share: 1, target: 1, status: "ok" as const }];
    render(<TopicBars rows={rows} />);
    expect(screen.queryByRole("columnheader", { name: /Gap/ })).toBeNull();
    expect(screen.queryByRole("button")).toBeNull();
  });

  it("shows what comes on top", () => {
    const rows = [{ topic: "Returns", before: 30, after: 50, target: 60 }];
    render(<BeforeAfter rows={rows} />);
    const row = screen.getByRole("img", { name: "Returns: 30 now, 50 then, target 60" });
    expect(row.textContent).toContain("+20");
    expect(Number.parseFloat(row.querySelector("b")?.style.width ?? "")).toBeCloseTo(100 / 3, 2);
  });
});

describe("reward curves", () => {
  const point = (x: number, y: number) => ({ x, y, low: y - 0.1, high: y + 0.1 });
  const series = [
    { name: "Train", tone: "busy" as const, points: [point(0, 0.4), point(2, 0.6)] },
    { name: "Validation", tone: "accent" as const, points: [point(0, 0.3)] },
  ];

  it("holds every value in a table, and reads them by arrow keys", () => {
    render(<RewardCurves series={series} xLabel="Step" yLabel="Reward" baseline={0.35} />);
    const cells = screen.getAllByRole("cell").map((cell) => cell.textContent);
    expect(cells).toEqual([
      ...["0", "0.40 [0.30, 0.50]", "0.30 [0.20, 0.40]"],
      ...["2", "0.60 [0.50, 0.70]", "0.30 [0.20, 0.40]"],
    ]);
    const chart = screen.getByRole("group");
    fireEvent.keyDown(chart, { key: "ArrowRight" });
    expect(screen.getByRole("status").textContent).toContain("Step 0");
    for (const _ of [1, 2, 3]) fireEvent.keyDown(chart, { key: "ArrowRight" });
    expect(screen.getByRole("status").textContent).toContain("Step 2");
    expect(screen.getByRole("status").textContent).toContain("Before training 0.35");
  });

  it("draws a line through the points, and a band where intervals are known", () => {
    const [first, last] = [point(0, 0.4), point(2, 0.6)];
    const unsure = { x: 1, y: 0.5, low: null, high: null };
    const points = [first, unsure, last];
    const { container } = render(
      <RewardCurves
        series={[{ name: "Train", tone: "busy", points }]}
        xLabel="Step"
        yLabel="Reward"
      />,
    );
    const corners = (selector: string) => {
      const d = container.querySelector(selector)?.getAttribute("d") ?? "";
      return [...d.matchAll(/[ML]([\d.]+),([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
    };
    const line = corners(".rft-curve-line");
    expect(line).toHaveLength(3);
    const [left, middle, right] = line.map(([x = 0]) => x);
    expect(middle).toBeCloseTo(((left ?? 0) + (right ?? 0)) / 2);
    const [start = 0, , end = 0] = line.map(([, y = 0]) => y);
    expect(end).toBeLessThan(start); // more is higher up
    const around = corners(".rft-curve-band");
    expect(around.map(([x]) => x)).toEqual([left, right, right, left]);
    expect(around[0]?.[1]).toBeGreaterThan(start);
    expect(around[3]?.[1]).toBeLessThan(start);
  });

  it("draws one point, and none", () => {
    const one = [
      {
        name: "Validation",
        tone: "accent" as const,
        points: [{ x: 1, y: 0.5, low: null, high: null }],
      },
    ];
    const { container, rerender } = render(
      <RewardCurves series={one} xLabel="Step" yLabel="Reward" />,
    );
    const circle = container.querySelector("circle");
    expect(Number(circle?.getAttribute("cy"))).toBeGreaterThan(0);
    expect(container.innerHTML).not.toContain("NaN");
    expect(container.querySelector(".rft-curve-alone")).toBeNull();
    const sure: Curve[] = [{ name: "Validation", tone: "accent", points: [point(1, 0.5)] }];
    rerender(<RewardCurves series={sure} xLabel="Step" yLabel="Reward" />);
    expect(container.querySelector(".rft-curve-alone")).toBeTruthy();
    rerender(<RewardCurves series={[]} xLabel="Step" yLabel="Reward" />);
    expect(container.textContent).toContain("No measurements yet");
  });
});
