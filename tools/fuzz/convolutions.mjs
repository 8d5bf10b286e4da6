/** Programs of convolutions, pools and matrix products. */
/** @typedef {import("./random.mjs").Random} Random @typedef {import("./check.mjs").Program} Program */

const list = JSON.stringify;

/** A padding that this filter may have: what TensorFlow.js counts by the filter's height alone is left out. */
function padding(/** @type {Random} */ r, /** @type {boolean} */ square, most = [2, 2]) {
  const numeric = square ? [0, 1, 2].filter((n) => n <= most[0]) : [];
  const sides = most.map((n) => [r.int(0, Math.min(2, n)), r.int(0, Math.min(2, n))]);
  return list(r.pick(["same", "same", "valid", ...numeric, [[0, 0], ...sides, [0, 0]]]));
}

/** Sizes of a filter, its strides, and an image that it fits on. */
function geometry(/** @type {Random} */ r, { axes = 2, dilated = true } = {}) {
  const filter = Array.from({ length: axes }, () => r.int(1, 4));
  const strides = Array.from({ length: axes }, () => r.int(1, 4));
  const dilation = dilated && r.chance(0.2) ? filter.map(() => r.int(1, 3)) : filter.map(() => 1);
  const plain = dilation.some((d) => d > 1) ? strides.map(() => 1) : strides;
  const image = filter.map((size, i) => (size - 1) * dilation[i] + 1 + r.int(0, 6));
  const square =
    filter.every((n) => n === filter[0]) &&
    plain.every((n) => n === plain[0]) &&
    dilation.every((n) => n === dilation[0]);
  return { filter, strides: plain, dilation, image, square, batch: r.chance(0.03) ? 0 : r.int(1, 2) };
}

const activations = ["linear", "relu", "relu6", "elu", "sigmoid", "leakyrelu"];

function conv(/** @type {string} */ name) {
  return (/** @type {Random} */ r) => {
    const g = geometry(r);
    const [I, O] = [r.int(1, 5), r.int(1, 5)];
    const depthwise = name.toLowerCase().includes("depthwise");
    const x = [r.floats([g.batch, ...g.image, I]), r.floats([...g.filter, I, depthwise ? r.int(1, 3) : O])];
    const pad = padding(r, g.square);
    const outs = depthwise ? I * x[1].shape[3] : O;
    const common = { grad: [0, 1], smooth: true, terms: 200 };
    if (!name.startsWith("fused")) {
      const call = `tf.${name}(x[0], x[1], ${list(g.strides)}, ${pad}, "NHWC", ${list(g.dilation)})`;
      return { x, call, ...common };
    }
    const activation = r.pick(activations);
    const bias = r.chance(0.7);
    const call =
      `tf.${name}({ x: x[0], filter: x[1], strides: ${list(g.strides)}, pad: ${pad}, dilations: ${list(g.dilation)}, ` +
      `activation: "${activation}", leakyreluAlpha: 0.2${bias ? ", bias: x[2]" : ""} })`;
    const grads = ["linear", "relu", "relu6"].includes(activation) && g.dilation.every((d) => d === 1);
    return {
      x: [...x, r.floats([outs])],
      call,
      ...common,
      grad: grads ? (bias ? [0, 1, 2] : [0, 1]) : undefined,
      smooth: activation === "linear",
    };
  };
}

function pool(/** @type {string} */ name, /** @type {number} */ axes) {
  return (/** @type {Random} */ r) => {
    const g = geometry(r, { axes, dilated: false });
    const pad =
      axes === 3
        ? list(r.pick(["same", "valid"]))
        : padding(
            r,
            g.square,
            g.filter.map((n) => n - 1),
          );
    // cpu loses the place of the largest number in windows that are no cubes, and takes the last of equal ones.
    const cube = name === "maxPool3d";
    const filter = cube ? g.filter.map(() => g.filter[0]) : g.filter;
    const image = cube ? g.image.map((n) => Math.max(n, filter[0])) : g.image;
    const x = r.floats([g.batch, ...image, r.int(1, 5)], cube ? "normal" : undefined);
    const call = `tf.${name}(x[0], ${list(filter)}, ${list(g.strides)}, ${pad})`;
    return { x: [x], call, grad: [0], smooth: name.startsWith("avg"), terms: 64 };
  };
}

/** @type {Record<string, (r: Random) => Program>} */
export const convolutions = {
  conv2d: conv("conv2d"),
  depthwiseConv2d: conv("depthwiseConv2d"),
  fusedConv2d: conv("fused.conv2d"),
  fusedDepthwiseConv2d: conv("fused.depthwiseConv2d"),
  conv1d: (r) => {
    const g = geometry(r, { axes: 1 });
    const x = [r.floats([g.batch, ...g.image, 3]), r.floats([...g.filter, 3, r.int(1, 4)])];
    const call = `tf.conv1d(x[0], x[1], ${g.strides[0]}, ${list(r.pick(["same", "valid"]))}, "NWC", ${g.dilation[0]})`;
    return { x, call, grad: [0, 1], smooth: true, terms: 64 };
  },
  separableConv2d: (r) => {
    const g = geometry(r, { dilated: false });
    const [I, M] = [r.int(1, 3), r.int(1, 2)];
    const x = [r.floats([g.batch, ...g.image, I]), r.floats([...g.filter, I, M]), r.floats([1, 1, I * M, 3])];
    const call = `tf.separableConv2d(x[0], x[1], x[2], ${list(g.strides)}, ${list(r.pick(["same", "valid"]))})`;
    return { x, call, grad: [0, 1, 2], smooth: true, terms: 400 };
  },
  conv2dTranspose: (r) => {
    const g = geometry(r, { dilated: false });
    const [I, O] = [r.int(1, 3), r.int(1, 3)];
    const same = r.chance(0.5);
    const small = [r.int(1, 4), r.int(1, 4)];
    const out = small.map((n, i) => (same ? n * g.strides[i] : (n - 1) * g.strides[i] + g.filter[i]));
    const x = [r.floats([g.batch, ...small, I]), r.floats([...g.filter, O, I])];
    const call = `tf.conv2dTranspose(x[0], x[1], ${list([g.batch, ...out, O])}, ${list(g.strides)}, "${same ? "same" : "valid"}")`;
    return { x, call, grad: [0, 1], smooth: true, terms: 200 };
  },
  conv3d: (r) => {
    const g = geometry(r, { axes: 3, dilated: false });
    const [I, O] = [r.int(1, 3), r.int(1, 3)];
    const x = [r.floats([g.batch, ...g.image, I]), r.floats([...g.filter, I, O])];
    const call = `tf.conv3d(x[0], x[1], ${list(g.strides)}, ${list(r.pick(["same", "valid"]))})`;
    return { x, call, grad: [0, 1], smooth: true, terms: 600 };
  },
  conv3dTranspose: (r) => {
    const g = geometry(r, { axes: 3, dilated: false });
    const [I, O] = [r.int(1, 2), r.int(1, 2)];
    const small = [r.int(1, 3), r.int(1, 3), r.int(1, 3)];
    const out = small.map((n, i) => (n - 1) * g.strides[i] + g.filter[i]);
    const x = [r.floats([1, ...small, I]), r.floats([...g.filter, O, I])];
    return {
      x,
      call: `tf.conv3dTranspose(x[0], x[1], ${list([1, ...out, O])}, ${list(g.strides)}, "valid")`,
      terms: 300,
    };
  },
  dilation2d: (r) => {
    const g = geometry(r);
    const C = r.int(1, 3);
    const x = [r.floats([g.batch, ...g.image, C], "normal"), r.floats([...g.filter, C], "normal")];
    const call = `tf.dilation2d(x[0], x[1], ${list(g.strides)}, ${list(r.pick(["same", "valid"]))}, ${list(g.dilation)})`;
    return { x, call, grad: [0, 1], terms: 64 };
  },
  maxPool: pool("maxPool", 2),
  avgPool: pool("avgPool", 2),
  maxPool3d: pool("maxPool3d", 3),
  avgPool3d: pool("avgPool3d", 3),
  maxPoolWithArgmax: (r) => {
    const g = geometry(r, { dilated: false });
    const x = r.floats([r.int(1, 2), ...g.image, r.int(1, 3)], "normal");
    const call = `tf.maxPoolWithArgmax(x[0], ${list(g.filter)}, ${list(g.strides)}, ${list(r.pick(["same", "valid"]))}, ${r.chance(0.5)})`;
    return { x: [x], call };
  },
  localResponseNormalization: (r) => ({
    x: [r.floats(r.shape(4, 4, 0))],
    call: `tf.localResponseNormalization(x[0], ${r.int(1, 3)}, ${r.pick([1, 2])}, ${r.pick([1, 0.5])}, ${r.pick([0.5, 0.75])})`,
    grad: [0],
    smooth: true,
    terms: 32,
  }),
  batchNorm: (r) => {
    const shape = r.shape(2, 4);
    const C = [shape.at(-1) ?? 1];
    const x = [r.floats(shape), r.floats(C), r.floats(C, "positive"), r.floats(C), r.floats(C)];
    return {
      x,
      call: "tf.batchNorm(x[0], x[1], x[2], x[3], x[4], 0.01)",
      grad: [0, 1, 2, 3, 4],
      terms: 2000,
    };
  },
  matMul: (r) => {
    const [M, K, N] = [r.size(), r.size(), r.size()];
    // cpu takes the wrong matrix where only some of the batch axes repeat.
    const batch = r.shape(0, 2);
    const one = batch.includes(0) ? batch : r.chance(0.5) ? [] : batch.map(() => 1);
    const [a, b] = r.pick([
      [batch, batch],
      [batch, one],
      [one, batch],
    ]);
    const [ta, tb] = [r.chance(0.4), r.chance(0.4)];
    const dtype = r.chance(0.85) ? "floats" : "ints";
    const x = [r[dtype]([...a, ...(ta ? [K, M] : [M, K])]), r[dtype]([...b, ...(tb ? [N, K] : [K, N])])];
    const grad = dtype === "floats" ? [0, 1] : undefined;
    return { x, call: `tf.matMul(x[0], x[1], ${ta}, ${tb})`, grad, smooth: true, terms: 300 };
  },
  fusedMatMul: (r) => {
    const [M, K, N] = [r.size(), r.size(), r.size(0)];
    const batch = r.shape(0, 1, 0);
    const [ta, tb] = [r.chance(0.4), r.chance(0.4)];
    const activation = r.pick(activations);
    const x = [
      r.floats([...batch, ...(ta ? [K, M] : [M, K])]),
      r.floats([...batch, ...(tb ? [N, K] : [K, N])]),
      r.floats([N]),
    ];
    const call =
      `tf.fused.matMul({ a: x[0], b: x[1], transposeA: ${ta}, transposeB: ${tb}, bias: x[2], ` +
      `activation: "${activation}", leakyreluAlpha: 0.2 })`;
    const grad = ["linear", "relu", "relu6"].includes(activation) ? [0, 1, 2] : undefined;
    return { x, call, grad, smooth: activation === "linear", terms: 64 };
  },
  einsum: (r) => {
    const size = { i: r.size(), j: r.size(), k: r.size(), b: r.int(1, 3), l: r.int(1, 3) };
    const equation = r.pick([
      "ij,jk->ik",
      "ij,kj->ik",
      "bij,bjk->bik",
      "ij->ji",
      "ij->i",
      "ij->j",
      "ij->",
      "i,j->ij",
      "ij,ij->ij",
      "ij,ij->",
      "i,i->",
      "bij,kj->bki",
      "bilj,bklj->blik",
      "ijk,j->ki",
      "ij,j->i",
      "b,bij->ij",
      "ij,jk,kl->il",
    ]);
    const terms = equation.split("->")[0].split(",");
    const x = terms.map((letters) => r.floats([...letters].map((c) => size[/** @type {"i"} */ (c)])));
    return { x, call: `tf.einsum("${equation}", ...x)`, grad: x.map((_, i) => i), smooth: true, terms: 400 };
  },
  dot: (r) => {
    const [a, b, c] = [r.int(1, 5), r.int(1, 5), r.int(1, 5)];
    const [left, right] = r.pick([
      [[a], [a]],
      [[a, b], [b]],
      [[a], [a, b]],
      [
        [a, b],
        [b, c],
      ],
    ]);
    return {
      x: [r.floats(left), r.floats(right)],
      call: "tf.dot(x[0], x[1])",
      grad: [0, 1],
      smooth: true,
      terms: 32,
    };
  },
};
