/** ONNX Runtime, for WebAssembly and native alike: a batch is padded to its longest sentence. */
import { fastest } from "../attention/fastest.mjs";
import { versionOf } from "../machine.mjs";
import { batchesOf } from "./cases.mjs";
import { encoderModel } from "./onnx-graph.mjs";

/** @import { Peer, Prepared } from "../contender.mjs" */
/** @import { Case } from "./cases.mjs" */
/** @import { Style } from "./onnx-graph.mjs" */
/** @typedef {"onnxruntime-web" | "onnxruntime-node"} Family */

const PROVIDERS = { "onnxruntime-web": "wasm", "onnxruntime-node": "cpu" };

/** What the inputs of the graphs are called, of one batch. */
function feedsOf(/** @type {any} */ ort, /** @type {Int32Array[]} */ batch) {
  const [B, T] = [batch.length, Math.max(...batch.map(({ length }) => length))];
  const ints = (/** @type {(b: number, t: number) => number} */ value) =>
    new ort.Tensor(
      "int32",
      Int32Array.from({ length: B * T }, (_, n) => value(Math.floor(n / T), n % T)),
      [B, T],
    );
  const floats = (/** @type {number[]} */ dims, /** @type {(b: number, t: number) => number} */ value) =>
    new ort.Tensor(
      "float32",
      Float32Array.from({ length: B * T }, (_, n) => value(Math.floor(n / T), n % T)),
      dims,
    );
  const isToken = (/** @type {number} */ b, /** @type {number} */ t) => t < batch[b].length;
  return {
    ids: ints((b, t) => batch[b][t] ?? 0),
    types: ints(() => 0),
    places: ints((_, t) => t),
    lengths: new ort.Tensor(
      "int32",
      Int32Array.from(batch, ({ length }) => length),
      [B],
    ),
    shares: floats([B, 1, T], (b, t) => (isToken(b, t) ? 1 / batch[b].length : 0)),
    mask: floats([B, 1, 1, T], (b, t) => (isToken(b, t) ? 0 : -1e9)),
  };
}

/** @returns {Promise<Peer>} */
export async function load(/** @type {{ family: Family }} */ { family }) {
  const module = await import(family);
  const ort = module.default?.InferenceSession ? module.default : module;
  if (family === "onnxruntime-web") ort.env.wasm.numThreads = 1;

  /** @returns {Promise<Prepared>} */
  async function prepared(/** @type {Case} */ c, /** @type {Style} */ style) {
    const { model, inputs } = encoderModel(c.sizes, style);
    const session = await ort.InferenceSession.create(model, {
      executionProviders: [PROVIDERS[family]],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
    });
    const feeds = batchesOf(c).map((batch) => {
      const all = Object.entries(feedsOf(ort, batch));
      return Object.fromEntries(all.filter(([name]) => inputs.includes(name)));
    });
    const run = async () => {
      const embeddings = [];
      for (const feed of feeds) embeddings.push((await session.run(feed, ["output"])).output.data);
      return embeddings;
    };
    const output = async () => Float32Array.from((await run()).flatMap((values) => [...values]));
    return { route: style, run, output, dispose: () => session.release() };
  }

  return {
    versions: { [family]: versionOf(family) },
    refuses: () => undefined,
    prepare: (/** @type {Case} */ c) => fastest([() => prepared(c, "fused"), () => prepared(c, "plain")], 1),
  };
}
