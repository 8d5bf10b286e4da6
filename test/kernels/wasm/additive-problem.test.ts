import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { ADDITIVE } from "../../../src/kernels/wasm/additive-problem.ts";
import { Struct } from "../../../src/kernels/wasm/struct.ts";

it("An additive call has the kernels' fields in the kernels' order, down to dsink", () => {
  const source = readFileSync(new URL("../../../assembly/additive/problem.ts", import.meta.url), "utf8");
  const body = source.slice(source.indexOf("class Additive")).replace(/\/\/.*/g, "");
  const fields = [...body.matchAll(/(\w+): (\w+);/g)].map(([, name, type]) => [
    name,
    type === "f32" ? "f" : "i",
  ]);
  const last = fields.findIndex(([name]) => name === "dsink");
  expect(Object.entries(ADDITIVE.fields)).toEqual(fields.slice(0, last + 1));
});

it("Writing a struct changes the fields that are given, and only those", () => {
  const struct = new Struct({ a: "i", b: "f", c: "i" });
  expect(struct.bytes).toBe(12);
  const integers = new Int32Array(6).fill(7);
  struct.write(integers.buffer, 8, { b: 0.5, c: -1 });
  expect([...integers]).toEqual([7, 7, 7, 0x3f000000, -1, 7]);
});
