/**
 * The training steps that are measured: loss, gradients and Adam of a Transformer block, a long short-term memory and
 * a small convolutional network, with the sizes and the initial weights that every contender starts from.
 */
import { normals } from "../random.mjs";

/** @typedef {{ shape: number[], values: Float32Array }} Values */
/** @typedef {{ shape: number[], fill: number } | { shape: number[], deviation: number }} Initial */
/** @typedef {{ name: string, kind: "transformer" | "lstm" | "conv", sizes: Record<string, number> }} Task */

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

/** @type {Task[]} */
export const TASKS = [
  transformer({ B: 8, T: 128, C: 128, H: 4, F: 512 }),
  lstm({ B: 32, T: 40, C: 64, H: 64, V: 10 }),
  conv({ B: 32, N: 28, C1: 16, C2: 32, V: 10 }),
];

/** @type {Task[]} */
export const QUICK_TASKS = [
  transformer({ B: 2, T: 16, C: 8, H: 2, F: 16 }),
  lstm({ B: 3, T: 5, C: 7, H: 6, V: 4 }),
  conv({ B: 2, N: 12, C1: 3, C2: 4, V: 4 }),
];

/** Side of the picture that the dense layer sees: 3 × 3 convolutions without padding, pools of 2 × 2. */
export const lastSide = (/** @type {number} */ N) => (((N - 2) >> 1) - 2) >> 1;

const ones = (/** @type {number[]} */ ...shape) => ({ shape, fill: 1 });
const zeros = (/** @type {number[]} */ ...shape) => ({ shape, fill: 0 });
const random = (/** @type {number[]} */ ...shape) => ({
  shape,
  deviation: 1 / Math.sqrt(shape.slice(0, -1).reduce((a, b) => a * b, 1)),
});

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
};

/** @type {Record<Task["kind"], (sizes: any) => { x: number[], y?: number[] }>} */
const DATA = {
  transformer: ({ B, T, C }) => ({ x: [B, T, C], y: [B, T, C] }),
  lstm: ({ B, T, C }) => ({ x: [T, B, C] }),
  conv: ({ B, N }) => ({ x: [B, N, N, 1] }),
};

const size = (/** @type {number[]} */ shape) => shape.reduce((a, b) => a * b, 1);
const drawn = (/** @type {number[]} */ shape, /** @type {number} */ seed, deviation = 1) => ({
  shape,
  values: normals(size(shape), seed).map((value) => value * deviation),
});

/**
 * Initial weights, inputs x, and the target: y, or the class of each example.
 *
 * @returns {{ weights: Record<string, Values>, x: Values, y?: Values, labels: Int32Array }}
 */
export function setUp(/** @type {Task} */ { kind, sizes }) {
  const weights = Object.entries(WEIGHTS[kind](sizes)).map(([name, initial], at) => {
    const { shape } = initial;
    if ("deviation" in initial) return [name, drawn(shape, at + 3, initial.deviation)];
    return [name, { shape, values: new Float32Array(size(shape)).fill(initial.fill) }];
  });
  const { x, y } = DATA[kind](sizes);
  const labels = Int32Array.from({ length: sizes.B }, (_, example) => (example * 7) % (sizes.V ?? 1));
  return { weights: Object.fromEntries(weights), x: drawn(x, 1), ...(y && { y: drawn(y, 2) }), labels };
}
