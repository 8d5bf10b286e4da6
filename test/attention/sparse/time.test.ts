/** Time grows with what a mask keeps, not with T × S. Ratios in one process, by turns, of the least time computed. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import {
  blockMaskOfRows,
  blockSparseAttention,
  longformerAttention,
  stridedAttention,
} from "../../../src/attention/sparse/index.ts";
import "../support.ts";
import { make } from "./inputs.ts";

const [H, D] = [2, 64];

function computed(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** The least time of each of two runs, the second over the first. */
function ratio(first: () => tf.Tensor, second: () => tf.Tensor): number {
  const least = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let turn = 0; turn < 9; turn++) {
    [first, second].forEach((run, n) => {
      const begun = computed();
      const output = tf.tidy(run);
      least[n] = Math.min(least[n]!, computed() - begun);
      output.dispose();
    });
  }
  return least[1]! / least[0]!;
}

const inputs = (n: number) =>
  [1, 2, 3].map((seed) => make(seed, 1, H, n, D)) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];

describe("the time of sparse attention on the heed backend", () => {
  beforeAll(async () => {
    await tf.setBackend("heed");
  });

  it("falls to about a half where half as many blocks are kept", () => {
    const [T, block] = [2048, 64];
    const blocks = T / block;
    const x = inputs(T);
    const mask = (kept: number) =>
      blockMaskOfRows(T, T, {
        block,
        keys: (a) => Array.from({ length: kept }, (_, n) => (a + 3 * n) % blocks),
      });
    const [eight, four] = [mask(8), mask(4)];
    expect([eight.share, four.share]).toEqual([1 / 4, 1 / 8]);
    const run = (mask: typeof four) => () => blockSparseAttention(...x, mask).output;
    const share = ratio(run(eight), run(four));
    // Proportional is 0.5, and what does not depend on the mask can only add to both: 0.8 leaves 60 % of it for that.
    expect(share).toBeLessThan(0.8);
    expect(share).toBeGreaterThan(0.3);
  });

  it("grows with T, not with T²: by less than 8 where T is four times as long", () => {
    const [short, long] = [inputs(1024), inputs(4096)];
    const window = { left: 64, right: 64 };
    // T gives 4, T² gives 16, T√T (strided, with the stride √T) 8 at most: 8 lies in the middle, 11 between 8 and 16.
    const longformer = (x: typeof short) => () => longformerAttention(...x, { window }).output;
    expect(ratio(longformer(short), longformer(long))).toBeLessThan(8);
    const strided = (x: typeof short, stride: number) => () => stridedAttention(...x, { stride }).output;
    expect(ratio(strided(short, 32), strided(long, 64))).toBeLessThan(11);
  });
});
