/**
 * The training steps that are measured: loss, gradients and Adam of a Transformer block, a long short-term memory, a
 * small convolutional network and a language model, with the sizes and the initial weights that every contender
 * starts from.
 */
import { normals } from "../random.mjs";

/** @typedef {{ shape: number[], values: Float32Array }} Values */
/** @typedef {{ shape: number[], fill: number } | { shape: number[], deviation: number }} Initial */
/** @typedef {{ name: string, kind: "transformer" | "lstm" | "conv" | "language", sizes: Record<string, number> }} Task */

/** tf.train.adam's, written out so that nobody's default differs. */
export const ADAM = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
export const LAYER_NORM_EPSILON = 1e-5;

const transformer = (/** @type {Record<string, number>} */ sizes) =>
  /** @type {Task} */ ({
    name: `Transformer block, B ${sizes.B}, T ${sizes.T}, C ${sizes.C}, H ${sizes.H}, F ${sizes.F}`,
    kind: "transformer",
    sizes,
  });
const lstm = (/** @type {Record<string, number>} */ sizes) =>
  /** @type {Task} */ ({
    name: `LSTM of ${sizes.H}, T ${sizes.T}, B ${sizes.B}`,
    kind: "lstm",
    sizes,
  });
const conv = (/** @type {Record<string, number>} */ sizes) =>
  /** @type {Task} */ ({
    name: `conv ${sizes.C1}, pool, conv ${sizes.C2}, pool, dense, B ${sizes.B}, ${sizes.N} × ${sizes.N}`,
    kind: "conv",
    sizes,
  });
const language = (/** @type {Record<string, number>} */ sizes) =>
  /** @type {Task} */ ({
    name: `language model, ${sizes.layers} layers, H ${sizes.H}, C ${sizes.C}, T ${sizes.T}, B ${sizes.B}`,
    kind: "language",
    sizes,
  });

/** @type {Task[]} */
export const TASKS = [
  transformer({ B: 8, T: 128, C: 128, H: 4, F: 512 }),
  lstm({ B: 32, T: 40, C: 64, H: 64, V: 10 }),
  conv({ B: 32, N: 28, C1: 16, C2: 32, V: 10 }),
  language({ layers: 4, H: 4, C: 128, F: 512, T: 256, B: 16, V: 65 }),
];

/** @type {Task[]} */
export const QUICK_TASKS = [
  transformer({ B: 2, T: 16, C: 8, H: 2, F: 16 }),
  lstm({ B: 3, T: 5, C: 7, H: 6, V: 4 }),
  conv({ B: 2, N: 12, C1: 3, C2: 4, V: 4 }),
  language({ layers: 2, H: 2, C: 8, F: 12, T: 11, B: 3, V: 7 }),
];

/** Side of the picture that the dense layer sees: 3 × 3 convolutions without padding, pools of 2 × 2. */
export const lastSide = (/** @type {number} */ N) => (((N - 2) >> 1) - 2) >> 1;

const ones = (/** @type {number[]} */ ...shape) => ({ shape, fill: 1 });
const zeros = (/** @type {number[]} */ ...shape) => ({ shape, fill: 0 });
const random = (/** @type {number[]} */ ...shape) => ({
  shape,
  deviation: 1 / Math.sqrt(shape.slice(0, -1).reduce((a, b) => a * b, 1)),
});

/** The weights of one layer of the language model, below its number. @returns {Record<string, Initial>} */
const layerWeights = (/** @type {number} */ layer, /** @type {any} */ { C, F }) => {
  const weights = {
    ...{ gamma1: ones(C), beta1: zeros(C), gamma2: ones(C), beta2: zeros(C) },
    ...{ q: random(C, C), k: random(C, C), v: random(C, C), o: random(C, C), bq: zeros(C), bk: zeros(C) },
    ...{ bv: zeros(C), bo: zeros(C), f1: random(C, F), b1: zeros(F), f2: random(F, C), b2: zeros(C) },
  };
  return Object.fromEntries(Object.entries(weights).map(([name, initial]) => [`${layer}/${name}`, initial]));
};

/** @type {Record<Task["kind"], (sizes: any) => Record<string, Initial>>} */
const WEIGHTS = {
  transformer: ({ C, F }) => ({
    ...{
      gamma1: ones(C),
      beta1: zeros(C),
      q: random(C, C),
      k: random(C, C),
      v: random(C, C),
      o: random(C, C),
    },
    ...{ gamma2: ones(C), beta2: zeros(C), f1: random(C, F), b1: zeros(F), f2: random(F, C), b2: zeros(C) },
  }),
  lstm: ({ C, H, V }) => ({
    ...{ W: random(C, 4 * H), U: random(H, 4 * H), b: zeros(4 * H), out: random(H, V), bias: zeros(V) },
  }),
  conv: ({ N, C1, C2, V }) => ({
    ...{ w1: random(3, 3, 1, C1), b1: zeros(C1), w2: random(3, 3, C1, C2), b2: zeros(C2) },
    ...{ out: random(lastSide(N) ** 2 * C2, V), bias: zeros(V) },
  }),
  // The embedding is the head too.
  language: ({ layers, T, V, ...sizes }) => ({
    ...{ token: random(V, sizes.C), position: random(T, sizes.C) },
    ...Object.assign({}, ...Array.from({ length: layers }, (_, layer) => layerWeights(layer, sizes))),
    ...{ gamma: ones(sizes.C), beta: zeros(sizes.C) },
  }),
};

/** The shapes of what is drawn; a language model has tokens instead. @type {Record<Task["kind"], (sizes: any) => { x?: number[], y?: number[] }>} */
const DATA = {
  transformer: ({ B, T, C }) => ({ x: [B, T, C], y: [B, T, C] }),
  lstm: ({ B, T, C }) => ({ x: [T, B, C] }),
  conv: ({ B, N }) => ({ x: [B, N, N, 1] }),
  language: () => ({}),
};

const size = (/** @type {number[]} */ shape) => shape.reduce((a, b) => a * b, 1);
const drawn = (/** @type {number[]} */ shape, /** @type {number} */ seed, deviation = 1) => ({
  shape,
  values: normals(size(shape), seed).map((value) => value * deviation),
});

/** `count` numbers below V, which stand for the tokens of all examples. */
const numbered = (/** @type {number} */ count, /** @type {number} */ V, /** @type {number} */ step) =>
  Int32Array.from({ length: count }, (_, at) => (at * step + (at >> 3)) % V);

/**
 * Initial weights, and the data: inputs x or tokens [B·T], and the target: y, or the class of each example or token.
 *
 * @typedef {{ x?: Values, y?: Values, tokens?: Int32Array, labels: Int32Array }} Data
 * @returns {Data & { weights: Record<string, Values> }}
 */
export function setUp(/** @type {Task} */ { kind, sizes }) {
  const weights = Object.entries(WEIGHTS[kind](sizes)).map(([name, initial], at) => {
    const { shape } = initial;
    if ("deviation" in initial) return [name, drawn(shape, at + 3, initial.deviation)];
    return [name, { shape, values: new Float32Array(size(shape)).fill(initial.fill) }];
  });
  const { x, y } = DATA[kind](sizes);
  const isLanguage = kind === "language";
  const count = isLanguage ? sizes.B * sizes.T : sizes.B;
  return {
    weights: Object.fromEntries(weights),
    ...(x && { x: drawn(x, 1) }),
    ...(y && { y: drawn(y, 2) }),
    ...(isLanguage && { tokens: numbered(count, sizes.V, 5) }),
    labels: isLanguage
      ? numbered(count, sizes.V, 3)
      : Int32Array.from({ length: count }, (_, example) => (example * 7) % (sizes.V ?? 1)),
  };
}
