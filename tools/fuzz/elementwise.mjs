/** Programs over one and two tensors, element by element. */
/** @typedef {import("./random.mjs").Random} Random @typedef {import("./check.mjs").Program} Program */

/** Functions of one number: where their numbers come from, and how many roundings they may be off. */
const UNARY = {
  abs: ["away"],
  acos: ["unit", 16],
  acosh: ["positive", 4096],
  asin: ["unit", 16],
  asinh: ["normal", 64],
  atan: ["normal"],
  atanh: ["unit", 64],
  ceil: ["normal"],
  cos: ["normal"],
  cosh: ["normal", 16],
  elu: ["away"],
  erf: ["normal", 16],
  exp: ["normal", 16],
  expm1: ["normal", 16],
  floor: ["normal"],
  isFinite: ["special"],
  isInf: ["special"],
  isNaN: ["special"],
  leakyRelu: ["away"],
  log: ["positive", 16],
  log1p: ["positive", 16],
  logSigmoid: ["normal", 16],
  neg: ["normal"],
  reciprocal: ["away"],
  relu: ["away"],
  relu6: ["away"],
  round: ["normal"],
  rsqrt: ["positive", 16],
  selu: ["away", 16],
  sigmoid: ["normal", 16],
  sign: ["normal"],
  sin: ["normal"],
  sinh: ["normal", 16],
  softplus: ["normal", 16],
  sqrt: ["positive"],
  square: ["normal"],
  step: ["away"],
  tan: ["unit", 32],
  tanh: ["normal", 16],
  onesLike: ["normal"],
  zerosLike: ["normal"],
  clone: ["normal"],
};

/** What takes int32 and bool too. */
const ANY_DTYPE = new Set(
  "abs exp isFinite isInf isNaN leakyRelu neg relu relu6 round sign square step onesLike zerosLike clone".split(
    " ",
  ),
);

/** Where the slope jumps, differences mean nothing. */
const JUMPS = new Set([
  "ceil",
  "floor",
  "round",
  "sign",
  "step",
  "abs",
  "relu",
  "relu6",
  "leakyRelu",
  "elu",
  "selu",
]);

function unary(/** @type {string} */ name, /** @type {string} */ kind, loose = 8) {
  return (/** @type {Random} */ r) => {
    const shape = r.shape(0, 5);
    const special = r.chance(0.1);
    const from = r.chance(0.3) && kind !== "unit" ? undefined : kind;
    const x = special
      ? r.floats(shape, "special")
      : ANY_DTYPE.has(name)
        ? r.numbers(shape, from)
        : r.floats(shape, from);
    const call = name === "leakyRelu" ? `tf.leakyRelu(x[0], ${r.pick([0, 0.2, 1])})` : `tf.${name}(x[0])`;
    const grad = x.dtype === "float32" && !special ? [0] : undefined;
    const near = name === "reciprocal" ? 0.4 : 0.05;
    const clean = x.dtype === "float32" && x.values.every((v) => Math.abs(Number(v)) > near);
    const inside = kind !== "unit" || x.values.every((v) => Math.abs(Number(v)) < 0.9);
    const right = kind !== "positive" || x.values.every((v) => Number(v) > (name === "acosh" ? 1.2 : 0.3));
    const smooth = clean && inside && right && !JUMPS.has(name);
    return { x: [x], call, grad, smooth, loose: loose * 4 };
  };
}

const ARITHMETIC = {
  add: "normal",
  sub: "normal",
  mul: "normal",
  div: "away",
  divNoNan: "away",
  floorDiv: "away",
  maximum: "normal",
  minimum: "normal",
  mod: "away",
  pow: "positive",
  squaredDifference: "normal",
  atan2: "away",
};

function binary(/** @type {string} */ name, /** @type {string} */ kind) {
  return (/** @type {Random} */ r) => {
    const [a, b] = r.pair();
    const dtype = r.chance(0.2) && name !== "pow" ? "ints" : "floats";
    const special = dtype === "floats" && r.chance(0.08);
    const given = [a, b].map((shape) =>
      dtype === "ints"
        ? name.toLowerCase().includes("div") || name === "mod"
          ? r.ints(shape, 1, 7)
          : r.ints(shape)
        : r.floats(
            shape,
            special ? "special" : r.chance(0.2) ? (name === "pow" ? "positive" : undefined) : kind,
          ),
    );
    const grad = dtype === "floats" && !special ? [0, 1] : undefined;
    const smooth = ["add", "sub", "mul", "squaredDifference"].includes(name);
    const terms = a.concat(b).reduce((n, size) => n * Math.max(1, size), 1);
    return { x: given, call: `tf.${name}(x[0], x[1])`, grad, smooth, terms, loose: 64 };
  };
}

function comparison(/** @type {string} */ name) {
  return (/** @type {Random} */ r) => {
    const [a, b] = r.pair();
    const kind = r.pick(["whole", "normal", "special"]);
    const dtype = r.pick(["floats", "floats", "ints", "bools"]);
    const x = [a, b].map((shape) =>
      dtype === "floats" ? r.floats(shape, kind) : dtype === "ints" ? r.ints(shape, -2, 2) : r.bools(shape),
    );
    return { x, call: `tf.${name}(x[0], x[1])` };
  };
}

function logical(/** @type {string} */ name) {
  return (/** @type {Random} */ r) => {
    const [a, b] = r.pair();
    return { x: [r.bools(a), r.bools(b)], call: `tf.${name}(x[0], x[1])` };
  };
}

/** @type {Record<string, (r: Random) => Program>} */
export const elementwise = {
  ...Object.fromEntries(
    Object.entries(UNARY).map(([name, [kind, loose]]) => [
      name,
      unary(name, String(kind), /** @type {number | undefined} */ (loose)),
    ]),
  ),
  ...Object.fromEntries(Object.entries(ARITHMETIC).map(([name, kind]) => [name, binary(name, kind)])),
  ...Object.fromEntries(
    ["equal", "notEqual", "greater", "greaterEqual", "less", "lessEqual"].map((name) => [
      name,
      comparison(name),
    ]),
  ),
  ...Object.fromEntries(["logicalAnd", "logicalOr", "logicalXor"].map((name) => [name, logical(name)])),
  logicalNot: (r) => ({ x: [r.bools(r.shape(0, 4))], call: "tf.logicalNot(x[0])" }),
  bitwiseAnd: (r) => {
    const shape = r.shape(0, 4);
    return { x: [r.ints(shape, 0, 99), r.ints(shape, 0, 99)], call: "tf.bitwiseAnd(x[0], x[1])" };
  },
  addN: (r) => {
    const shape = r.shape(0, 4);
    const x = Array.from({ length: r.int(1, 4) }, () => r.floats(shape));
    return { x, call: "tf.addN(x)", grad: x.map((_, i) => i), smooth: true };
  },
  clipByValue: (r) => {
    const low = r.int(-3, 2);
    const x = r.numbers(r.shape(0, 4));
    const call = `tf.clipByValue(x[0], ${low}, ${low + r.int(1, 3)})`;
    return { x: [x], call, grad: x.dtype === "float32" ? [0] : undefined };
  },
  prelu: (r) => {
    const shape = r.shape(1, 4);
    const alpha = r.partner(shape);
    const x = r.numbers(shape);
    const grad = x.dtype === "float32" ? [0, 1] : undefined;
    return { x: [x, r.floats(alpha)], call: "tf.prelu(x[0], x[1])", grad, terms: 300 };
  },
  where: (r) => {
    const shape = r.shape(0, 4);
    const [c, t, e] = [r.partner(shape), shape, r.partner(shape)];
    const call = "tf.where(x[0], x[1], x[2])";
    return {
      x: [r.bools(r.chance(0.5) ? shape : c), r.floats(t), r.floats(e)],
      call,
      grad: [1, 2],
      smooth: true,
      terms: 99,
    };
  },
  cast: (r) => ({
    x: [r.chance(0.2) ? r.floats(r.shape(0, 4), "large") : r.numbers(r.shape(0, 4))],
    call: `tf.cast(x[0], "${r.pick(["float32", "int32", "bool"])}")`,
  }),
  softmax: (r) => ({
    x: [r.floats(r.shape(1, 4), r.chance(0.2) ? "large" : undefined)],
    call: "tf.softmax(x[0])",
    grad: [0],
    smooth: false,
    terms: 8,
  }),
  logSoftmax: (r) => ({
    x: [r.floats(r.shape(1, 4))],
    call: "tf.logSoftmax(x[0])",
    grad: [0],
    smooth: true,
    terms: 16,
  }),
};
