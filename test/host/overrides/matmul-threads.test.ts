import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { init, shutdown } from "../../../src/kernels/init.ts";
import { PoolSpace } from "../../../src/kernels/wasm/pool/pool.ts";
import { useBuild } from "../../support/kernel-build.ts";
import { normal } from "../compare.ts";

beforeAll(() => useBuild("relaxed"));
afterAll(() => shutdown());

/** Shapes of a and b as they are stored, and whether each is read transposed. */
const CASES: [string, number[], number[], boolean, boolean][] = [
  ["many rows", [1511, 101], [101, 131], false, false],
  ["a transposed operand", [67, 1009], [67, 331], true, false],
  ["many columns", [71, 127], [2203, 127], false, true],
  ["both transposed", [211, 503], [307, 211], true, true],
  ["a batch", [5, 211, 97], [5, 97, 199], false, false],
  ["one matrix for a batch", [3, 307, 67], [67, 331], false, false],
  ["batches that repeat", [1, 307, 67], [4, 67, 331], false, false],
];

it.each(CASES)(
  "matMul gives the same bits on threads: %s",
  async (_, aShape, bShape, transposeA, transposeB) => {
    const run = vi.spyOn(PoolSpace.prototype, "run");
    const [a, b] = [normal(aShape, 1), normal(bShape, 2)];
    const multiply = () => {
      const before = tf.memory().numTensors;
      const values = tf.tidy(() => tf.matMul(a, b, transposeA, transposeB).dataSync());
      expect(tf.memory().numTensors).toBe(before);
      return Buffer.from(values.slice().buffer);
    };
    await init({ threads: 1 });
    const alone = multiply();
    await init({ threads: 2 });
    run.mockClear();
    const shared = multiply();
    expect(run.mock.calls.map(([kernel]) => kernel)).toEqual(["gemmPart"]);
    expect(run.mock.calls[0]![1].length).toBeGreaterThan(1);
    expect(shared.equals(alone)).toBe(true);
    tf.dispose([a, b]);
  },
);

it("a product that is too small for threads stays on this one", async () => {
  await init({ threads: 2 });
  const run = vi.spyOn(PoolSpace.prototype, "run");
  run.mockClear();
  tf.tidy(() => tf.matMul(normal([64, 256], 1), normal([256, 64], 2)).dataSync());
  expect(run).not.toHaveBeenCalled();
});
