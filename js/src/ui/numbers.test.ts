import { expect, it } from "vitest";
import { counted, percent } from "./numbers";

it("counts with separators and the right word", () => {
  expect(counted(1, "record")).toBe("1 record");
  expect(counted(1008, "record")).toBe("1,008 records");
});

it("never rounds something to nothing, nor a part to all", () => {
  expect([0, 0.0004, 0.256, 0.9999, 1].map(percent)).toEqual(["0%", "<1%", "26%", ">99%", "100%"]);
});
