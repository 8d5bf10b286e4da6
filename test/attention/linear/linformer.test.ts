import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { type LinformerOptions, linformerAttention } from "../../../src/attention/linear/index.ts";
import { attention } from "../../../src/ops/attention.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { onEveryBackend } from "../support.ts";
import {
  drawn,
  example,
  expectClose,
  expectFixture,
  fixture,
  type Inputs,
  qkv,
  refusal,
  spoil,
  withGradients,
} from "./linear-support.ts";

const call =
  (options: LinformerOptions = {}) =>
  ({ q, k, v, e, f }: Inputs) =>
    linformerAttention(
      q as tf.Tensor4D,
      k as tf.Tensor4D,
      v as tf.Tensor4D,
      { e: e as tf.Tensor2D, f: f as tf.Tensor2D },
      options,
    ).output;

onEveryBackend("Linformer", () => {
  it.each(fixture("linformer"))("gives what PyTorch gives in float64: $name", (one) => {
    expectFixture(one, call(one.options));
  });

  it("is exact attention where E = F = I, heads that share keys included", () => {
    tf.tidy(() => {
      const x = qkv(1, { B: 2, H: 6, Hkv: 3, T: 5, S: 7, D: 11, Dv: 13 });
      expectClose(attention(x.q, x.k, x.v).output, call()({ ...x, e: tf.eye(7) }), 1e-6);
    });
  });

  it.each([
    { B: 1, H: 2, T: 5, S: 3, D: 7, Dv: 2 },
    { B: 2, H: 1, T: 3, S: 5, D: 2, Dv: 7 },
    { B: 1, H: 3, T: 2, S: 7, D: 5, Dv: 3 },
  ])("has the gradients of central differences at $B $H $T $S $D $Dv", (sizes) => {
    const mixtures = { e: drawn<tf.Tensor>(4, [sizes.S, 2], 0.5), f: drawn<tf.Tensor>(5, [sizes.S, 2], 0.5) };
    gradcheckTensors(call(), { ...qkv(6, sizes), ...mixtures });
    if (sizes.B === 2) gradcheckTensors(call({ keyLengths: [2, 5] }), { ...qkv(6, sizes), ...mixtures });
  });

  it("gives a padded example what it gives alone with the first rows of E, and one without keys 0", () => {
    tf.tidy(() => {
      const x = { ...qkv(9, { B: 3, H: 2, T: 7, D: 4, Dv: 3 }), e: drawn<tf.Tensor2D>(12, [7, 5]) };
      const padded = call({ keyLengths: [7, 3, 0], queryLengths: [7, 3, 2] })(x);
      const alone = call()({ ...x, q: example(x.q, 1, 3), k: example(x.k, 1, 3), v: example(x.v, 1, 3) });
      expectClose(alone, example(padded, 1, 3), 1e-6);
      expect(
        example(padded, 2)
          .dataSync()
          .every((value) => value === 0),
      ).toBe(true);
    });
  });

  it("lets NaN in hidden keys and values reach nothing, gradients included", () => {
    const x = { ...qkv(13, { B: 2, H: 2, T: 5, D: 3, Dv: 2 }), e: drawn<tf.Tensor>(16, [5, 3]) };
    const allow = tf.tensor2d([1, 0, 1, 1, 0, 0, 1, 1, 0, 1], [2, 5], "bool");
    const seen = allow.dataSync();
    const hidden = (b: number, t: number) => seen[b * 5 + t] === 0;
    const f = call({ keyAllow: allow });
    expect(withGradients(f, { ...x, k: spoil(x.k, hidden), v: spoil(x.v, hidden) })).toEqual(
      withGradients(f, x),
    );
  });

  it("goes through the kernel, with r keys", async () => {
    const x = { ...qkv(17, { B: 1, H: 2, T: 5, S: 7, D: 3, Dv: 2 }), e: drawn<tf.Tensor>(20, [7, 3]) };
    const { kernels } = await tf.profile(() => call()(x));
    const names = kernels.map(({ name }) => name);
    expect(names.filter((name) => name === "HeedAttention")).toHaveLength(1);
    expect(names).not.toContain("Softmax");
  });

  it("returns weights over the mixtures where asked for, and leaves no tensor behind", () => {
    const { q, k, v } = qkv(21, { B: 1, H: 2, T: 5, S: 7, D: 3, Dv: 2 });
    const e = drawn<tf.Tensor2D>(24, [7, 3]);
    const before = tf.memory().numTensors;
    const { output, weights } = linformerAttention(q, k, v, { e }, { weights: true });
    expect(tf.memory().numTensors).toBe(before + 2);
    expect(weights.shape).toEqual([1, 2, 5, 3]);
    tf.dispose([output, weights]);
  });

  it("refuses mixtures of fewer positions, or of different numbers", () => {
    const { q, k, v } = qkv(25, { B: 1, H: 2, T: 5, S: 7, D: 3, Dv: 2 });
    expect(refusal(() => linformerAttention(q, k, v, { e: tf.zeros([6, 3]) }))).toBe(
      "linformerAttention: e [S, r] must have shape [7, 3] here, got [6, 3]; each letter must mean the same size in all inputs",
    );
    expect(refusal(() => linformerAttention(q, k, v, { e: tf.zeros([7, 3]), f: tf.zeros([7, 2]) }))).toMatch(
      /f \[S, r\] must have shape \[7, 3\] here, got \[7, 2\]/,
    );
    expect(refusal(() => linformerAttention(q, k, v, { e: tf.zeros([7, 0]) }))).toMatch(
      /must have shape \[7, 1\]/,
    );
    expect(refusal(() => linformerAttention(q, drawn(1, [1, 2, 7, 4]), v, { e: tf.eye(7) }))).toMatch(
      /same D/,
    );
  });
});
