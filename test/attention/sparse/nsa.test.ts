import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { patternMask } from "../../../src/attention/mask/index.ts";
import { softAttention } from "../../../src/attention/sequence/index.ts";
import {
  type NsaOptions,
  nativeSparseAttention,
  selectionMask,
} from "../../../src/attention/sparse/index.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend } from "../support.ts";
import { make } from "./inputs.ts";

type Sizes = readonly [B: number, H: number, Hkv: number, T: number, D: number, Dv: number];
const NAMES = ["q", "kc", "vc", "ks", "vs", "kw", "vw", "gates"] as const;

function inputs([B, H, Hkv, T, D, Dv]: Sizes): Record<(typeof NAMES)[number], tf.Tensor4D> {
  const keys = (seed: number) => make(seed, B, Hkv, T, D);
  const values = (seed: number) => make(seed, B, Hkv, T, Dv);
  return {
    ...{
      q: make(1, B, H, T, D),
      kc: keys(2),
      vc: values(3),
      ks: keys(4),
      vs: values(5),
      kw: keys(6),
      vw: values(7),
    },
    gates: make(8, B, H, T, 3),
  };
}

function call(x: Record<string, tf.Tensor>, options: NsaOptions): tf.Tensor4D {
  const { q, kc, vc, ks, vs, kw, vw, gates } = x as Record<(typeof NAMES)[number], tf.Tensor4D>;
  const branches = { compression: { k: kc, v: vc }, selection: { k: ks, v: vs }, window: { k: kw, v: vw } };
  return nativeSparseAttention(q, branches, gates, options).output;
}

/** The formula in plain loops of float64; `selects` tells which blocks a query selected. */
function byLoops(
  x: ReturnType<typeof inputs>,
  [B, H, Hkv, T, D, Dv]: Sizes,
  options: Required<Pick<NsaOptions, "compression" | "selection" | "window">>,
) {
  const data = Object.fromEntries(NAMES.map((name) => [name, x[name].dataSync()])) as Record<
    string,
    Float32Array
  >;
  const {
    compression: { length: l, stride: d },
    selection: { block, count, first, near },
    window,
  } = options;
  const key = (name: string, width: number, b: number, h: number, t: number, c: number) =>
    data[name]![((b * Hkv + Math.floor((h * Hkv) / H)) * T + t) * width + c]!;
  const compressed = (name: string, width: number, b: number, h: number, i: number, c: number) => {
    let sum = 0;
    for (let t = i * d; t < i * d + l; t++) sum += key(name, width, b, h, t, c);
    return sum / l;
  };
  const softmax = (scores: number[]) => {
    const e = scores.map(Math.exp);
    const total = e.reduce((sum, n) => sum + n, 0);
    return e.map((n) => n / total);
  };
  const score = (b: number, h: number, t: number, k: (c: number) => number) => {
    let sum = 0;
    for (let c = 0; c < D; c++) sum += data.q![((b * H + h) * T + t) * D + c]! * k(c);
    return sum / Math.sqrt(D);
  };
  const coarse = (b: number, h: number, t: number) => {
    const visible = Array.from({ length: T }, (_, i) => i).filter((i) => i * d + l - 1 <= t);
    return softmax(visible.map((i) => score(b, h, t, (c) => compressed("kc", D, b, h, i, c))));
  };
  const output = new Float64Array(B * H * T * Dv);
  for (let row = 0; row < B * H * T; row++) {
    const [b, h, t] = [Math.floor(row / (H * T)), Math.floor(row / T) % H, row % T];
    const group = Array.from({ length: H }, (_, n) => n).filter(
      (n) => Math.floor((n * Hkv) / H) === Math.floor((h * Hkv) / H),
    );
    const importance = Array.from({ length: Math.floor(t / block) + 1 }, () => 0);
    for (const member of group) {
      coarse(b, member, t).forEach((weight, i) => {
        for (let s = 0; s < l / d; s++) importance[Math.floor((i * d + s * d) / block)]! += weight;
      });
    }
    const own = Math.floor(t / block);
    const forced = (a: number) => a < first || a > own - near;
    const chosen = importance
      .map((value, a) => ({ a, value: forced(a) ? Number.POSITIVE_INFINITY : value }))
      .sort((m, n) => (n.value === m.value ? m.a - n.a : n.value - m.value))
      .slice(0, count)
      .map(({ a }) => a);
    const seen = (test: (j: number) => boolean) => Array.from({ length: t + 1 }, (_, j) => j).filter(test);
    const branches = [
      { weights: coarse(b, h, t), value: (n: number, c: number) => compressed("vc", Dv, b, h, n, c) },
      ...[
        { js: seen((j) => chosen.includes(Math.floor(j / block))), k: "ks", v: "vs" },
        { js: seen((j) => j > t - window), k: "kw", v: "vw" },
      ].map(({ js, k, v }) => ({
        weights: softmax(js.map((j) => score(b, h, t, (c) => key(k, D, b, h, j, c)))),
        value: (n: number, c: number) => key(v, Dv, b, h, js[n]!, c),
      })),
    ];
    branches.forEach(({ weights, value }, branch) => {
      const gate = data.gates![row * 3 + branch]!;
      weights.forEach((weight, n) => {
        for (let c = 0; c < Dv; c++) output[row * Dv + c]! += gate * weight * value(n, c);
      });
    });
  }
  return output;
}

onEveryBackend("native sparse attention", () => {
  it.each([
    [
      [2, 2, 2, 13, 3, 5],
      {
        compression: { length: 4, stride: 2 },
        selection: { block: 4, count: 2, first: 0, near: 1 },
        window: 3,
      },
    ],
    [
      [1, 4, 2, 17, 2, 3],
      {
        compression: { length: 2, stride: 2 },
        selection: { block: 2, count: 4, first: 1, near: 2 },
        window: 2,
      },
    ],
    [
      [1, 3, 1, 11, 5, 2],
      {
        compression: { length: 6, stride: 3 },
        selection: { block: 3, count: 1, first: 0, near: 0 },
        window: 5,
      },
    ],
  ] as const)("is its formula in loops of float64: %j, %j", (sizes, options) => {
    tf.tidy(() => {
      const x = inputs(sizes);
      expect(distance(call(x, options).dataSync(), byLoops(x, sizes, options))).toBeLessThanOrEqual(2e-6);
    });
  });

  it("is three dense attentions under their masks, to 1e-6 with gradients", () => {
    tf.tidy(() => {
      const [B, H, T] = [2, 2, 13];
      const x = inputs([B, H, H, T, 3, 5]);
      const options = {
        compression: { length: 4, stride: 4 },
        selection: { block: 4, count: 2, first: 0, near: 1 },
        window: 3,
      };
      const allow = selectionMask(x.q, x.kc, options);
      const dense = (x: Record<string, tf.Tensor>) => {
        const { q, kc, vc, ks, vs, kw, vw, gates } = x as typeof x & ReturnType<typeof inputs>;
        const blocks = (k: tf.Tensor4D) => {
          const whole = tf.slice(k, [0, 0, 0, 0], [B, H, 12, k.shape[3]]);
          return tf.mean(tf.reshape(whole, [B, H, 3, 4, k.shape[3]]), 3) as tf.Tensor4D;
        };
        const parts = [
          softAttention(q, blocks(kc), blocks(vc), { allow: patternMask(T, 3, (t, i) => 4 * i + 3 <= t) }),
          softAttention(q, ks, vs, { allow }),
          softAttention(q, kw, vw, { allow: patternMask(T, T, (t, j) => j <= t && j > t - 3) }),
        ];
        const gated = parts.map(({ output }, c) =>
          tf.mul(output, tf.slice(gates, [0, 0, 0, c], [B, H, T, 1])),
        );
        return tf.addN(gated);
      };
      const grads = (f: (x: Record<string, tf.Tensor>) => tf.Tensor) =>
        tf.valueAndGrads((...t: tf.Tensor[]) =>
          tf.mean(tf.square(f(Object.fromEntries(NAMES.map((name, n) => [name, t[n]!]))))),
        )(NAMES.map((name) => x[name]));
      const [got, expected] = [grads((x) => call(x, options)), grads(dense)];
      expect(distance(got.value.dataSync(), expected.value.dataSync())).toBeLessThanOrEqual(1e-6);
      got.grads.forEach((gradient, n) => {
        expect(
          gradient.dataSync().some((value) => value !== 0),
          NAMES[n],
        ).toBe(true);
        expect(distance(gradient.dataSync(), expected.grads[n]!.dataSync()), NAMES[n]).toBeLessThanOrEqual(
          1e-6,
        );
      });
    });
  });

  it("passes gradcheck where all past blocks are selected, through compressions of one's own", () => {
    const x = { ...inputs([1, 2, 1, 5, 2, 3]), w: make(9, 2, 1, 1, 1) };
    const f = (x: Record<string, tf.Tensor>) => {
      const weighted = (blocks: tf.Tensor) =>
        tf.sum(tf.mul(blocks, tf.reshape(x.w!, [2, 1])), 3) as tf.Tensor4D;
      return call(x, {
        compression: { length: 2, stride: 1 },
        selection: { block: 2, count: 3, first: 0, near: 1 },
        ...{ window: 2, compressKeys: weighted, compressValues: weighted },
      });
    };
    gradcheckTensors(f, x, 64);
  });

  it("selects the block where the key is that the query asks for, however far", () => {
    tf.tidy(() => {
      const [T, D, block] = [64, 8, 8];
      const vectors = make(3, 1, 1, T, D);
      const keys = tf.div(vectors, tf.norm(vectors, 2, 3, true)) as tf.Tensor4D;
      const asked = [5, 19, 34];
      const q = tf.concat(
        Array.from({ length: T }, (_, t) =>
          tf.mul(tf.slice(keys, [0, 0, asked[t % 3]!, 0], [1, 1, 1, D]), 1000),
        ),
        2,
      ) as tf.Tensor4D;
      const options = {
        compression: { length: 1, stride: 1 },
        selection: { block, count: 2, first: 0, near: 1 },
      };
      const mask = selectionMask(q, keys, options).dataSync();
      for (let t = 48; t < T; t++) {
        expect(mask[t * T + asked[t % 3]!]).toBe(1);
        const row = Array.from(mask.slice(t * T, (t + 1) * T));
        expect(row.reduce((sum, n) => sum + n, 0)).toBe(block + (t % block) + 1);
      }
    });
  });

  it("leaves no tensor behind, and says what is wrong", () => {
    tf.tidy(() => {
      const x = inputs([1, 2, 2, 7, 3, 5]);
      const before = tf.memory().numTensors;
      call(x, { window: 2 });
      expect(tf.memory().numTensors).toBe(before + 1);
      const refused = (options: NsaOptions, message: string) =>
        expect(() => call(x, options)).toThrow(expect.objectContaining({ message }));
      refused(
        { compression: { length: 3, stride: 2 } },
        "nativeSparseAttention: compression.length must be a multiple of compression.stride = 2, got 3; choose one in that range or leave it out",
      );
      refused(
        { selection: { block: 64, count: 1, first: 1, near: 1 } },
        "nativeSparseAttention: selection.first + near must be at most selection.count = 1, got 2; choose one in that range or leave it out",
      );
      refused(
        { window: 0 },
        "nativeSparseAttention: window must be an integer ≥ 1, got 0; choose one in that range or leave it out",
      );
      expect(() => call({ ...x, gates: make(1, 1, 2, 7, 2) }, {})).toThrow(
        "nativeSparseAttention: gates [B, H, T, 3] and [B, H, T, 3] of q must have the same shape, got shapes [1, 2, 7, 2] and [1, 2, 7, 3]; make their shape equal",
      );
      expect(() => call({ ...x, kw: make(1, 1, 2, 5, 3), vw: make(1, 1, 2, 5, 5) }, {})).toThrow(
        "nativeSparseAttention: queries and keys of window must be one sequence, T = S ≥ 1, got T=7 and S=5; give keys and values of the queries' positions",
      );
    });
  });
});
