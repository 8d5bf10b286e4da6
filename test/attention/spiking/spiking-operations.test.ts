import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { spikingAttention, spikingOperations } from "../../../src/attention/spiking/index.ts";
import { OptionError } from "../../../src/core/errors.ts";
import { onEveryBackend } from "../support.ts";
import { spikes } from "./spikes.ts";

const [B, H, HKV, T, S, D, DV] = [2, 6, 3, 5, 7, 11, 13];
const inputs = (share = 0.3) => ({
  q: spikes<tf.Tensor4D>(1, [B, H, T, D], share),
  k: spikes<tf.Tensor4D>(2, [B, HKV, S, D], share),
  v: spikes<tf.Tensor4D>(3, [B, HKV, S, DV], share),
});

onEveryBackend("spikingOperations", () => {
  it("counts each addition that the sums of spiking attention make, done one by one", () => {
    const { q, k, v } = inputs();
    const [a, b, c] = [q.arraySync(), k.arraySync(), v.arraySync()];
    let additions = 0;
    const output: number[] = [];
    for (let n = 0; n < B; n++)
      for (let h = 0; h < H; h++)
        for (let t = 0; t < T; t++) {
          const g = Math.floor((h * HKV) / H);
          const row = new Array(DV).fill(0);
          for (let s = 0; s < S; s++) {
            let count = 0;
            for (let d = 0; d < D; d++) {
              if (!(a[n]![h]![t]![d] && b[n]![g]![s]![d])) continue;
              count += 1;
              additions++;
            }
            if (count === 0) continue;
            for (let d = 0; d < DV; d++) {
              if (!c[n]![g]![s]![d]) continue;
              row[d] += count;
              additions++;
            }
          }
          output.push(...row);
        }
    const { accumulations, multiplyAccumulates } = spikingOperations(q, k, v);
    expect(accumulations).toBe(additions);
    expect(multiplyAccumulates).toBe(B * H * T * S * (D + DV));
    // What was added up is what attention gives, without one multiplication.
    expect([...spikingAttention(q, k, v, { scale: 1 }).output.dataSync()]).toEqual(output);
  });

  it("is nothing without spikes, and all that there is where every neuron fires", () => {
    const none = inputs(0);
    expect(spikingOperations(none.q, none.k, none.v)).toMatchObject({
      accumulations: 0,
      rates: { q: 0, k: 0, v: 0 },
    });
    const all = inputs(1.1);
    const { accumulations, multiplyAccumulates, rates } = spikingOperations(all.q, all.k, all.v);
    expect(accumulations).toBe(multiplyAccumulates);
    expect(rates).toEqual({ q: 1, k: 1, v: 1 });
  });

  it("tells how often neurons fire, and refuses what are no spikes", () => {
    const q = tf.tensor4d([1, 0, 0, 0], [1, 1, 2, 2]);
    const k = tf.tensor4d([1, 1, 1, 0, 1, 1], [1, 1, 3, 2]);
    const v = tf.tensor4d([0, 1, 0], [1, 1, 3, 1]);
    expect(spikingOperations(q, k, v).rates).toEqual({ q: 0.25, k: 5 / 6, v: 1 / 3 });
    const attempt = () => spikingOperations(q, tf.mul(k, 0.5), v);
    expect(attempt).toThrow(OptionError);
    expect(attempt).toThrow(
      "spikingOperations: k must hold spikes, 0 or 1 everywhere, got 0.5 at element 0; pass currents through leakyIntegrateAndFire first",
    );
  });
});
