/**
 * The ways in which ONNX Runtime can compute a case, each a model and its inputs. A peer takes the fastest of those
 * that it has and that give the right numbers.
 */
import { scale, toTokens } from "./cases.mjs";
import { onnxModel } from "./onnx.mjs";

/** @import { Case, Inputs } from "./cases.mjs" */
/** @typedef {{ data: Float32Array | Int32Array, dims: number[], type: "float32" | "int32" }} Feed */
/** @typedef {{ name: string, supports(c: Case): boolean, build(c: Case, inputs: Inputs): { model: Uint8Array, feeds: Record<string, Feed>, layout: "heads" | "tokens" } }} Route */

const float = (/** @type {Float32Array} */ data, /** @type {number[]} */ dims) =>
  /** @type {Feed} */ ({ data, dims, type: "float32" });
const ints = (/** @type {number[]} */ data, /** @type {number[]} */ dims) =>
  /** @type {Feed} */ ({ data: Int32Array.from(data), dims, type: "int32" });
const values = (/** @type {Record<string, Feed>} */ feeds) =>
  Object.entries(feeds).map(([name, { dims, type }]) => ({ name, shape: dims, type }));

/** Where keys and values are resident they are constants of the model, which is where the API lets them stay. */
function residentOf(/** @type {Case} */ { kind }, /** @type {Record<string, Feed>} */ given) {
  if (kind !== "resident decode") return { feeds: given, tensors: {} };
  const { k, v, ...feeds } = given;
  return { feeds, tensors: { k, v } };
}

/** q, k, v as heads: [1, H, T, D]. */
const asHeads = (/** @type {Case} */ { H, Hkv, T, S, D }, /** @type {Inputs} */ { q, k, v }) => ({
  q: float(q, [1, H, T, D]),
  k: float(k, [1, Hkv, S, D]),
  v: float(v, [1, Hkv, S, D]),
});

/** q, k, v as tokens: [1, T, H·D]. */
const asTokens = (/** @type {Case} */ { H, Hkv, T, S, D }, /** @type {Inputs} */ { q, k, v }) => ({
  q: float(toTokens(q, H, T, D), [1, T, H * D]),
  k: float(toTokens(k, Hkv, S, D), [1, S, Hkv * D]),
  v: float(toTokens(v, Hkv, S, D), [1, S, Hkv * D]),
});

/** 0 where a query attends and −10⁴ elsewhere, [1, 1, T, S]: what exported models add to the scores. */
function additiveMask(/** @type {Case} */ { T, S, visible }) {
  const mask = new Float32Array(T * S);
  for (let i = 0; i < T; i++) for (let j = 0; j < S; j++) if (!visible(i, j)) mask[i * S + j] = -1e4;
  return float(mask, [1, 1, T, S]);
}

/** The operator of the ONNX standard; its windows are of version 25, which ONNX Runtime 1.30 does not know. */
const standard = (/** @type {"heads" | "tokens"} */ layout) =>
  /** @type {Route} */ ({
    name: `Attention-23, ${layout}`,
    supports: ({ window }) => window === undefined,
    build(c, inputs) {
      const { feeds, tensors } = residentOf(c, layout === "heads" ? asHeads(c, inputs) : asTokens(c, inputs));
      const sizes = layout === "tokens" && { q_num_heads: c.H, kv_num_heads: c.Hkv };
      const attributes = { is_causal: c.causal ? 1 : 0, scale: scale(c), ...sizes };
      const shape = layout === "heads" ? [1, c.H, c.T, c.D] : [1, c.T, c.H * c.D];
      const model = onnxModel({
        opset: 23,
        nodes: [{ op: "Attention", inputs: ["q", "k", "v"], outputs: ["output"], attributes }],
        inputs: values(feeds),
        tensors,
        outputs: [{ name: "output", shape }],
      });
      return { model, feeds, layout };
    },
  });

const masked = /** @type {Route} */ ({
  name: "Attention-23 with a mask",
  supports: ({ window }) => window !== undefined,
  build(c, inputs) {
    const feeds = { ...asHeads(c, inputs), mask: additiveMask(c) };
    const model = onnxModel({
      opset: 23,
      nodes: [
        {
          op: "Attention",
          inputs: ["q", "k", "v", "mask"],
          outputs: ["output"],
          attributes: { scale: scale(c) },
        },
      ],
      inputs: values(feeds),
      outputs: [{ name: "output", shape: [1, c.H, c.T, c.D] }],
    });
    return { model, feeds, layout: "heads" };
  },
});

const multiHead = /** @type {Route} */ ({
  name: "MultiHeadAttention",
  supports: ({ window, H, Hkv }) => !window && H === Hkv,
  build(c, inputs) {
    const { feeds, tensors } = residentOf(c, asTokens(c, inputs));
    const attributes = { num_heads: c.H, scale: scale(c), unidirectional: c.causal ? 1 : 0 };
    const model = onnxModel({
      opset: 21,
      nodes: [
        {
          op: "MultiHeadAttention",
          domain: "com.microsoft",
          inputs: ["q", "k", "v"],
          outputs: ["output"],
          attributes,
        },
      ],
      inputs: values(feeds),
      tensors,
      outputs: [{ name: "output", shape: [1, c.T, c.H * c.D] }],
    });
    return { model, feeds, layout: "tokens" };
  },
});

const groupQuery = /** @type {Route} */ ({
  name: "GroupQueryAttention",
  supports: ({ causal, window, T, S }) => T === S && (causal || window !== undefined),
  build(c, inputs) {
    const feeds = {
      ...asTokens(c, inputs),
      past: ints([c.S - 1], [1]),
      total: ints([c.S], [1]),
    };
    const sides = c.window !== undefined && { local_window_size: c.window };
    const attributes = { num_heads: c.H, kv_num_heads: c.Hkv, scale: scale(c), ...sides };
    const cache = [1, c.Hkv, c.S, c.D];
    const model = onnxModel({
      opset: 21,
      nodes: [
        {
          op: "GroupQueryAttention",
          domain: "com.microsoft",
          inputs: ["q", "k", "v", "", "", "past", "total"],
          outputs: ["output", "presentKey", "presentValue"],
          attributes,
        },
      ],
      inputs: values(feeds),
      outputs: [
        { name: "output", shape: [1, c.T, c.H * c.D] },
        { name: "presentKey", shape: cache },
        { name: "presentValue", shape: cache },
      ],
    });
    return { model, feeds, layout: "tokens" };
  },
});

/** softmax(q kᵀ · scale [+ mask]) v; the query heads of one key head stand below each other as rows of one product. */
const composed = /** @type {Route} */ ({
  name: "MatMul, Softmax, MatMul",
  supports: ({ causal, window, H, Hkv }) => H === Hkv || !(causal || window),
  build(c, inputs) {
    const { Hkv, D } = c;
    const rows = (c.H / Hkv) * c.T;
    const hidden = c.causal || c.window !== undefined;
    const { k, v } = asHeads(c, inputs);
    const q = float(inputs.q, [1, Hkv, rows, D]);
    const { feeds, tensors } = residentOf(c, { q, k, v, ...(hidden && { mask: additiveMask(c) }) });
    const model = onnxModel({
      opset: 21,
      nodes: [
        { op: "Transpose", inputs: ["k"], outputs: ["kt"], attributes: { perm: [0, 1, 3, 2] } },
        { op: "MatMul", inputs: ["q", "kt"], outputs: ["products"] },
        { op: "Mul", inputs: ["products", "factor"], outputs: ["scores"] },
        ...(hidden ? [{ op: "Add", inputs: ["scores", "mask"], outputs: ["masked"] }] : []),
        {
          op: "Softmax",
          inputs: [hidden ? "masked" : "scores"],
          outputs: ["weights"],
          attributes: { axis: -1 },
        },
        { op: "MatMul", inputs: ["weights", "v"], outputs: ["output"] },
      ],
      inputs: values(feeds),
      tensors,
      outputs: [{ name: "output", shape: [1, Hkv, rows, D] }],
      scalars: { factor: scale(c) },
    });
    return { model, feeds, layout: "heads" };
  },
});

/** @type {Route[]} */
export const ROUTES = [standard("heads"), standard("tokens"), masked, multiHead, groupQuery, composed];
