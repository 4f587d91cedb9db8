import { expect, it } from "vitest";
import { bytes, counted, percent } from "./numbers";

it("counts with separators and the right word", () => {
  expect(counted(1, "record")).toBe("1 record");
  expect(counted(1008, "record")).toBe("1,008 records");
});

it("never rounds something to nothing, nor a part to all", () => {
  expect([0, 0.0004, 0.256, 0.9999, 1].map(percent)).toEqual(["0%", "<1%", "26%", ">99%", "100%"]);
});

it("says sizes with three digits", () => {
  expect([1, 999, 1000, 8_388_608, 500_000_000, 999_900, 2 ** 31].map(bytes)).toEqual([
    "1 byte",
    "999 bytes",
    "1 kB",
    "8.39 MB",
    "500 MB",
    "1 MB",
    "2.15 GB",
  ]);
});
