import { expect, it } from "vitest";
import { attention, probe } from "../../src/kernels/index.ts";

it("probe before init says what to do", () => {
  const sizes = { B: 1, H: 1, T: 1, S: 1, D: 1 };
  const one = Float64Array.of(1);
  const { saved } = attention(one, one, one, sizes);
  const [q, k] = [Float32Array.of(1), Float32Array.of(1)];
  const float32 = { ...saved, q, k, v: k, output: q, lse: q, lseLow: q };
  expect(() => probe(float32, { max: true })).toThrow(
    "probe: float32 kernels must be compiled before they run, got a call before that; await init() once",
  );
});
