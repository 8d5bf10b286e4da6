/**
 * Everyone who takes part, each in a process of its own: what one library does to the engine (flags, threads, a heap
 * that never shrinks) then costs no other one anything. `module` exports `load(settings)`, see ./contender.mjs.
 */

/** @typedef {"heed" | "onnxruntime-web" | "onnxruntime-node" | "jax-js" | "tfjs-wasm" | "peak"} Family */
/**
 * @typedef {object} Contender
 * @property {string} id
 * @property {Family} family
 * @property {string} module
 * @property {Record<string, unknown>} [settings]
 * @property {number} threads
 */

const heed = (/** @type {string} */ id, /** @type {{ threads: number, build: string }} */ settings) =>
  /** @type {Contender} */ ({
    id,
    family: "heed",
    module: "./attention/heed.mjs",
    settings,
    threads: settings.threads,
  });

const onnx = (
  /** @type {"onnxruntime-web" | "onnxruntime-node"} */ family,
  /** @type {number} */ threads,
  /** @type {{ simd?: string }} */ more = {},
) =>
  /** @type {Contender} */ ({
    id: `${family}${more.simd ? ` ${more.simd}` : ""}, ${threads} thread${threads > 1 ? "s" : ""}`,
    family,
    module: `./attention/${family}.mjs`,
    settings: { threads, ...more },
    threads,
  });

/** @type {Contender} */
export const PEAK = { id: "peak", family: "peak", module: "./peak.mjs", threads: 1 };

/** How fast memory can be read at all: takes part where that is the bar. @type {Contender} */
export const SUM = { id: "sum of the same bytes", family: "peak", module: "./bandwidth.mjs", threads: 1 };

/** @type {Contender[]} */
export const ATTENTION = [
  heed("heed, 1 thread", { threads: 1, build: "relaxed" }),
  heed("heed, 2 threads", { threads: 2, build: "relaxed" }),
  heed("heed plain SIMD, 1 thread", { threads: 1, build: "plain" }),
  { id: "heed on TensorFlow.js", family: "heed", module: "./attention/heed-op.mjs", threads: 1 },
  onnx("onnxruntime-web", 1),
  onnx("onnxruntime-web", 2),
  onnx("onnxruntime-web", 1, { simd: "relaxed" }),
  onnx("onnxruntime-node", 1),
  onnx("onnxruntime-node", 2),
  { id: "jax-js", family: "jax-js", module: "./attention/jax.mjs", threads: 1 },
  {
    id: "tfjs-wasm composed",
    family: "tfjs-wasm",
    module: "./attention/tfjs.mjs",
    settings: { route: "composed" },
    threads: 1,
  },
  {
    id: "tfjs-wasm by heads",
    family: "tfjs-wasm",
    module: "./attention/tfjs.mjs",
    settings: { route: "by heads" },
    threads: 1,
  },
  SUM,
];

const training = (/** @type {string} */ id, /** @type {Family} */ family, /** @type {object} */ settings) =>
  /** @type {Contender} */ ({
    id,
    family,
    module: family === "jax-js" ? "./training/jax.mjs" : "./training/tensorflow.mjs",
    settings,
    threads: 1,
  });

/** @type {Contender[]} */
export const TRAINING = [
  training("heed", "heed", { backend: "heed", ops: "heed" }),
  training("heed as a drop-in", "heed", { backend: "heed" }),
  training("tfjs-wasm", "tfjs-wasm", { backend: "wasm" }),
  training("jax-js", "jax-js", {}),
];

/** @type {Contender[]} */
export const EMBEDDING = [
  {
    id: "heed, 1 thread",
    family: "heed",
    module: "./embedding/heed.mjs",
    settings: { backend: "heed" },
    threads: 1,
  },
  .../** @type {const} */ (["onnxruntime-web", "onnxruntime-node"]).map(
    (family) =>
      /** @type {Contender} */ ({
        id: `${family}, 1 thread`,
        family,
        module: "./embedding/onnxruntime.mjs",
        settings: { family },
        threads: 1,
      }),
  ),
];
