/** Programs that reduce, scan or search along axes. */
/** @typedef {import("./random.mjs").Random} Random @typedef {import("./check.mjs").Program} Program */

const TERMS = 400;

function reduction(
  /** @type {string} */ name,
  { dtypes = true, smooth = false, kind = "", zero = 0.06 } = {},
) {
  return (/** @type {Random} */ r) => {
    const shape = r.shape(0, 5, zero);
    const x = dtypes ? r.numbers(shape, kind || undefined) : r.floats(shape, kind || undefined);
    const call = `tf.${name}(x[0], ${r.axis(shape.length)}, ${r.chance(0.4)})`;
    const grad = x.dtype === "float32" ? [0] : undefined;
    return { x: [x], call, grad, smooth: smooth && x.dtype === "float32", terms: TERMS };
  };
}

function truth(/** @type {string} */ name, zero = 0.06) {
  return (/** @type {Random} */ r) => {
    const shape = r.shape(0, 5, zero);
    return { x: [r.bools(shape)], call: `tf.${name}(x[0], ${r.axis(shape.length)}, ${r.chance(0.4)})` };
  };
}

function place(/** @type {string} */ name) {
  return (/** @type {Random} */ r) => {
    const shape = r.shape(1, 4, 0);
    return { x: [r.numbers(shape)], call: `tf.${name}(x[0], ${r.int(0, shape.length - 1)})` };
  };
}

function scan(/** @type {string} */ name, /** @type {string} */ kind) {
  return (/** @type {Random} */ r) => {
    const shape = r.shape(1, 4);
    const x = r.chance(0.8) ? r.floats(shape, kind) : r.ints(shape);
    const call = `tf.${name}(x[0], ${r.int(0, shape.length - 1)}, ${r.chance(0.4)}, ${r.chance(0.4)})`;
    return { x: [x], call, grad: x.dtype === "float32" ? [0] : undefined, smooth: true, terms: 32 };
  };
}

/** @type {Record<string, (r: Random) => Program>} */
export const reductions = {
  sum: reduction("sum", { smooth: true }),
  // Over nothing cpu gives 0, TensorFlow NaN.
  mean: reduction("mean", { smooth: true, zero: 0 }),
  prod: (r) => {
    const program = reduction("prod", { kind: r.pick(["away", "unit", "whole"]) })(r);
    // Long products of large numbers overflow: their gradients are no numbers anywhere.
    return { ...program, smooth: program.x[0].values.length < 9 };
  },
  // Over nothing cpu gives NaN, and false for `all`.
  max: reduction("max", { zero: 0 }),
  min: reduction("min", { zero: 0 }),
  logSumExp: reduction("logSumExp", { dtypes: false, smooth: true, zero: 0 }),
  all: truth("all", 0),
  any: truth("any"),
  argMax: place("argMax"),
  argMin: place("argMin"),
  cumsum: scan("cumsum", "normal"),
  cumprod: scan("cumprod", "away"),
  moments: (r) => {
    const shape = r.shape(1, 4, 0);
    const call = `tf.moments(x[0], ${r.axis(shape.length)}, ${r.chance(0.4)})`;
    return { x: [r.floats(shape)], call, grad: [0], smooth: true, terms: TERMS };
  },
  norm: (r) => {
    const shape = r.shape(1, 3, 0);
    const call = `tf.norm(x[0], ${r.pick(["'euclidean'", "1", "2"])}, ${r.int(0, shape.length - 1)}, ${r.chance(0.4)})`;
    return { x: [r.floats(shape, "away")], call, grad: [0], terms: 32 };
  },
  topk: (r) => {
    const shape = r.shape(1, 3, 0);
    const call = `tf.topk(x[0], ${r.int(0, shape.at(-1) ?? 0)}, ${r.chance(0.7)})`;
    const x = r.numbers(shape);
    return { x: [x], call, grad: x.dtype === "float32" ? [0] : undefined };
  },
  bincount: (r) => {
    const n = r.size();
    const weighted = r.chance(0.5);
    return {
      x: [r.ints([n], 0, 8), r.floats([weighted ? n : 0])],
      call: `tf.bincount(x[0], x[1], ${r.int(0, 9)})`,
      terms: 8,
    };
  },
  denseBincount: (r) => {
    const shape = r.shape(1, 2);
    const weighted = r.chance(0.5);
    // cpu counts in a list even where it was asked for presence alone.
    const presence = shape.length > 1 && r.chance(0.3);
    return {
      x: [r.ints(shape, 0, 8), r.floats(weighted ? shape : [0])],
      call: `tf.denseBincount(x[0], x[1], ${r.int(1, 9)}, ${presence})`,
      terms: 8,
    };
  },
  unique: (r) => {
    const shape = r.shape(1, 3, 0);
    return { x: [r.ints(shape, 0, 2)], call: `tf.unique(x[0], ${r.int(0, shape.length - 1)})` };
  },
  searchSorted: (r) => {
    const [rows, n, m] = [r.int(1, 4), r.int(1, 7), r.int(1, 7)];
    const sorted = r.floats([rows, n], "whole");
    for (let i = 0; i < rows; i++) {
      const row = sorted.values.slice(i * n, (i + 1) * n).sort((a, b) => Number(a) - Number(b));
      sorted.values.splice(i * n, n, ...row);
    }
    return {
      x: [sorted, r.floats([rows, m], "whole")],
      call: `tf.searchSorted(x[0], x[1], "${r.pick(["left", "right"])}")`,
    };
  },
  multinomial: (r) => ({
    x: [r.floats([r.int(1, 4), r.int(2, 5)])],
    // The backends draw different numbers: what can be the same is their range.
    call: `((y) => [tf.less(y, x[0].shape[1]), tf.greaterEqual(y, 0)])(tf.multinomial(x[0], ${r.int(1, 6)}, ${r.int(1, 99)}))`,
  }),
};
