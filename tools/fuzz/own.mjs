/** Programs of heed's own operations, whose kernels the backend registers beside those of TensorFlow.js. */
/** @typedef {import("./random.mjs").Random} Random @typedef {import("./check.mjs").Program} Program */

const list = JSON.stringify;

/** @type {Record<string, (r: Random) => Program>} */
export const own = {
  attention: (r) => {
    const [B, T, S, D, Dv] = [r.int(1, 2), r.int(1, 6), r.int(1, 7), r.int(1, 5), r.int(1, 5)];
    const Hkv = r.int(1, 2);
    const H = Hkv * r.int(1, 2);
    const options = {
      ...(r.chance(0.4) && { causal: T === S ? true : "topLeft" }),
      ...(T === S && r.chance(0.3) && { window: { left: r.int(0, 3), right: r.int(0, 3) } }),
      ...(r.chance(0.2) && { softCap: 2 }),
      ...(r.chance(0.3) && { keyLengths: Array.from({ length: B }, () => r.int(0, S)) }),
    };
    const x = [r.floats([B, H, T, D]), r.floats([B, Hkv, S, D]), r.floats([B, Hkv, S, Dv])];
    return { x, call: `heed.attention(x[0], x[1], x[2], ${list(options)})`, grad: [0, 1, 2], terms: 64 };
  },
  additiveAttention: (r) => {
    const [B, T, S, A, Dv] = [r.int(1, 2), r.int(1, 4), r.int(1, 5), r.int(1, 5), r.int(1, 4)];
    const x = [r.floats([B, T, A]), r.floats([B, S, A]), r.floats([A]), r.floats([B, S, Dv])];
    return { x, call: "heed.additiveAttention(x[0], x[1], x[2], x[3])", grad: [0, 1, 2, 3], terms: 64 };
  },
  layerNorm: (r) => {
    const shape = r.shape(1, 4, 0);
    const C = [shape.at(-1) ?? 1];
    return {
      x: [r.floats(shape), r.floats(C), r.floats(C)],
      call: "heed.layerNorm(x[0], x[1], x[2], { epsilon: 0.1 })",
      grad: [0, 1, 2],
      smooth: true,
      terms: 512,
    };
  },
  gelu: (r) => ({
    x: [r.floats(r.shape(0, 4))],
    call: `heed.gelu(x[0], { approximate: ${r.chance(0.5)} })`,
    grad: [0],
    smooth: true,
    loose: 32,
  }),
  linear: (r) => {
    const [I, O] = [r.size(), r.size()];
    return {
      x: [r.floats([...r.shape(1, 3), I]), r.floats([I, O]), r.floats([O])],
      call: "heed.linear(x[0], x[1], x[2])",
      grad: [0, 1, 2],
      smooth: true,
      terms: 400,
    };
  },
  dropout: (r) => ({
    x: [r.floats(r.shape(0, 4))],
    call: `heed.dropout(x[0], ${r.pick([0, 0.3, 0.9])}, { seed: ${r.int(0, 9)} })`,
    grad: [0],
  }),
  gridSample: (r) => {
    const B = r.int(1, 2);
    const x = [
      r.floats([B, r.int(1, 5), r.int(1, 5), r.int(1, 3)], "normal"),
      r.floats([B, r.int(1, 4), r.int(1, 4), 2], "unit"),
    ];
    const options = {
      alignCorners: r.chance(0.5),
      interpolation: r.pick(["bilinear", "nearest"]),
      padding: r.pick(["zeros", "border"]),
    };
    return { x, call: `heed.gridSample(x[0], x[1], ${list(options)})`, grad: [0, 1], terms: 64, loose: 256 };
  },
  gruCell: (r) => {
    const [B, H] = [r.int(1, 4), r.int(1, 9)];
    const x = [r.floats([B, 3 * H]), r.floats([B, 3 * H]), r.floats([B, H])];
    return { x, call: "heed.gruCell(x[0], x[1], x[2])", grad: [0, 1, 2], smooth: true, terms: 16, loose: 32 };
  },
  gruSequence: (r) => {
    const [T, B, H] = [r.int(1, 4), r.int(1, 3), r.int(1, 6)];
    const x = [
      r.floats([T, B, 3 * H], "unit"),
      r.floats([B, H], "unit"),
      r.floats([H, 3 * H], "unit"),
      r.floats([3 * H], "unit"),
      r.bools([T, B]),
    ];
    const call = `heed.gruSequence(x[0], x[1], x[2], x[3], x[4], { reverse: ${r.chance(0.5)} })`;
    return { x, call, grad: [0, 1, 2, 3], smooth: true, terms: 256, loose: 64 };
  },
  lstmCell: (r) => {
    const [B, H] = [r.int(1, 4), r.int(1, 9)];
    const x = [r.floats([B, 4 * H]), r.floats([B, H]), r.floats([B, H])];
    return { x, call: "heed.lstmCell(x[0], x[1], x[2])", grad: [0, 1], smooth: true, terms: 16, loose: 32 };
  },
  lstmSequence: (r) => {
    const [T, B, H] = [r.int(1, 4), r.int(1, 3), r.int(1, 6)];
    const x = [
      r.floats([T, B, 4 * H], "unit"),
      r.floats([B, H], "unit"),
      r.floats([B, H], "unit"),
      r.floats([H, 4 * H], "unit"),
      r.bools([T, B]),
    ];
    const call = `heed.lstmSequence(x[0], x[1], x[2], x[3], x[4], { reverse: ${r.chance(0.5)} })`;
    return { x, call, grad: [0, 1, 2, 3], smooth: true, terms: 256, loose: 64 };
  },
  softmaxCrossEntropy: (r) => {
    const [N, V] = [r.int(1, 5), r.int(2, 9)];
    return {
      x: [r.floats([N, V]), r.ints([N], 0, V - 1)],
      call: `heed.softmaxCrossEntropy(x[0], x[1], { smoothing: ${r.pick([0, 0.1])} })`,
      grad: [0],
      smooth: true,
      terms: 32,
    };
  },
};
