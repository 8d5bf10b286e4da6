import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import {
  PROBLEM_BYTES,
  PROBLEM_FIELDS,
  writeProblem,
} from "../../../../src/kernels/wasm/attention/problem.ts";

it("The problem has the kernels' fields in the kernels' order", () => {
  const source = readFileSync(new URL("../../../../assembly/attention/problem.ts", import.meta.url), "utf8");
  const body = source.slice(source.indexOf("class Problem")).replace(/\/\/.*/g, "");
  const fields = [...body.matchAll(/(\w+): (\w+);/g)].map(([, name, type]) => [
    name,
    type === "f32" ? "f" : "i",
  ]);
  expect(Object.entries(PROBLEM_FIELDS)).toEqual(fields);
});

it("Writing a problem changes the fields that are given, and only those", () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  writeProblem(memory, 64, { T: 7, scale: 0.5, weights: -1 });
  const integers = new Int32Array(memory.buffer, 64, PROBLEM_BYTES / 4);
  const set = [...integers].flatMap((value, at) => (value ? [[Object.keys(PROBLEM_FIELDS)[at], value]] : []));
  expect(set).toEqual([
    ["T", 7],
    ["scale", 0x3f000000],
    ["weights", -1],
  ]);
});
