/** Programs of heed's own operations, whose kernels the backend registers beside those of TensorFlow.js. */
/** @typedef {import("./random.mjs").Random} Random @typedef {import("./check.mjs").Program} Program */

const list = JSON.stringify;

/** A kernel that heed's optimiser runs by itself, and on cpu what it computes, in operations of TensorFlow.js. */
const onHeed = (
  /** @type {string} */ kernel,
  /** @type {string} */ inputs,
  /** @type {string} */ attrs,
  /** @type {string} */ composed,
) => `tf.getBackend() === "heed" ? tf.engine().runKernel("${kernel}", ${inputs}, ${attrs}) : ${composed}`;

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
  rmsNorm: (r) => {
    const shape = r.shape(1, 4, 0);
    return {
      x: [r.floats(shape), r.floats([shape.at(-1) ?? 1])],
      call: "heed.rmsNorm(x[0], x[1], { epsilon: 0.1 })",
      grad: [0, 1],
      smooth: true,
      terms: 512,
    };
  },
  rotatePairs: (r) => {
    const [T, half, rest] = [r.int(1, 4), r.int(1, 6), r.int(0, 2)];
    const layout = r.pick(["bhtd", "bthd"]);
    const [first, second] = layout === "bthd" ? [T, r.int(1, 3)] : [r.int(1, 3), T];
    const table = [T, half];
    const x = [r.floats([r.int(1, 2), first, second, 2 * half + rest]), r.floats(table), r.floats(table)];
    const options = { pairs: r.pick(["half", "interleaved"]), layout };
    const call = `heed.rotatePairs(x[0], { cos: x[1], sin: x[2] }, ${list(options)})`;
    return { x, call, grad: [0], smooth: true, terms: 16 };
  },
  half: (r) => {
    const type = r.pick(["float16", "bfloat16"]);
    const shape = r.shape(0, 4);
    const packed = `heed.unpackHalf(heed.packHalf(x[0], "${type}"), x[0].shape, "${type}")`;
    return r.chance(0.5)
      ? { x: [r.floats(shape)], call: `heed.roundHalf(x[0], "${type}")`, grad: [0] }
      : { x: [r.floats(shape)], call: packed };
  },
  silu: (r) => ({
    x: [r.floats(r.shape(0, 4))],
    call: "heed.silu(x[0])",
    grad: [0],
    smooth: true,
    loose: 32,
  }),
  gatedSilu: (r) => {
    const shape = r.shape(0, 4);
    const x = [r.floats(shape), r.floats(shape)];
    return { x, call: "heed.gatedSilu(x[0], x[1])", grad: [0, 1], smooth: true, loose: 32 };
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
  affineGrid: (r) => ({
    x: [r.floats([r.int(1, 3), 2, 3], "normal")],
    call: `heed.affinePoints(x[0], ${list([r.int(1, 5), r.int(1, 5)])}, ${r.chance(0.5)})`,
    grad: [0],
    smooth: true,
    terms: 64,
  }),
  crop: (r) => {
    const [B, H, W] = [r.int(1, 3), r.int(2, 6), r.int(2, 6)];
    const x = [r.floats([B, H, W, r.int(1, 3)]), r.ints([B], -2, H), r.ints([B], -2, W)];
    const places = "x[1], x[2]";
    return {
      x,
      call: `heed.crop(x[0], ${places}, ${list([r.int(1, 4), r.int(1, 4)])})`,
      grad: [0],
      terms: 8,
    };
  },
  attentionWeights: (r) => {
    const [B, H, T, S, D] = [r.int(1, 2), r.int(1, 2), r.int(1, 6), r.int(1, 7), r.int(1, 5)];
    const x = [r.floats([B, H, T, D]), r.floats([B, H, S, D]), r.floats([B, H, S, 3]), r.bools([B, 1, T, S])];
    return { x, call: "heed.attention(x[0], x[1], x[2], { allow: x[3], weights: true })", terms: 64 };
  },
  addGumbel: (r) => ({
    x: [r.floats(r.shape(0, 4))],
    call: `heed.addGumbel(x[0], ${r.int(0, 99)}, ${r.int(0, 3)})`,
    grad: [0],
    smooth: true,
    loose: 32,
  }),
  appendRows: (r) => {
    const [B, capacity, H, D] = [r.int(1, 3), r.int(1, 7), r.int(1, 3), r.int(1, 5)];
    const T = r.int(1, capacity);
    const counts = Array.from({ length: B }, () => r.int(0, T));
    const starts = counts.map((count) => r.int(0, capacity - count));
    return {
      x: [r.floats([B, capacity, H, D]), r.floats([B, T, H, D])],
      call: `heed.appendRows(x[0], x[1], ${list(starts)}, ${list(counts)})`,
    };
  },
  reserveRows: (r) => {
    const [B, filled, H, D] = [r.int(1, 3), r.int(1, 5), r.int(1, 3), r.int(1, 5)];
    const T = r.int(1, 3);
    const [starts, counts] = [new Array(B).fill(filled), new Array(B).fill(T)];
    const room = `heed.reserveRows(x[0], ${filled + T + r.int(0, 3)})`;
    const earlier = `{ cache: x[0], moved: ${list(new Array(B).fill(0))} }`;
    const grown = `heed.appendRows(${room}, x[1], ${list(starts)}, ${list(counts)}, ${earlier})`;
    return {
      x: [r.floats([B, filled, H, D]), r.floats([B, T, H, D])],
      // What comes after the rows is not defined.
      call: `tf.slice(${grown}, [0, 0, 0, 0], ${list([B, filled + T, H, D])})`,
    };
  },
  topLogits: (r) => {
    const [N, V] = [r.int(1, 4), r.int(1, 40)];
    const call = `(({ values, columns, norms }) => [values, columns, norms])(heed.topLogits(x[0], ${r.int(1, V)}))`;
    return { x: [r.floats([N, V])], call, terms: V };
  },
  sumOfSquares: (r) => ({
    x: [r.floats(r.shape(0, 3))],
    call: onHeed("HeedSumOfSquares", "{ x: x[0] }", "undefined", "tf.sum(tf.square(x[0]))"),
    terms: 400,
  }),
  adam: (r) => {
    const shape = r.shape(1, 3);
    const [decay, root] = [r.pick([0, 0.01]), r.pick([1, 3])];
    const attrs = list({ scale: 0.5, decay, beta1: 0.9, beta2: 0.99, step: 0.1, root, epsilon: 0.01 });
    const g = `tf.add(tf.mul(x[1], 0.5), tf.mul(x[0], ${decay}))`;
    const moments = `[tf.add(tf.mul(x[2], 0.9), tf.mul(g, 0.1)), tf.add(tf.mul(x[3], 0.99), tf.mul(tf.square(g), 0.01))]`;
    const moved = `tf.sub(x[0], tf.div(tf.mul(m, 0.1), tf.add(tf.mul(tf.sqrt(v), ${root}), 0.01)))`;
    return {
      x: [r.floats(shape), r.floats(shape), r.floats(shape), r.floats(shape, "positive")],
      call: onHeed(
        "HeedAdam",
        "{ p: x[0], g: x[1], m: x[2], v: x[3] }",
        attrs,
        `((g) => (([m, v]) => [${moved}, m, v])(${moments}))(${g})`,
      ),
      loose: 64,
    };
  },
};
