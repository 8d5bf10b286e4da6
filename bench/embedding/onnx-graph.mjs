/**
 * The encoder as graphs of ONNX, of which a peer takes the faster one that it has: "fused" of ONNX Runtime's own operators, which its
 * optimiser would make of an exported BERT (one product for queries, keys and values, lengths instead of a mask), and "plain" of the operators of the standard.
 */
import { onnxModel } from "../attention/onnx.mjs";
import { EPSILON, weightsOf } from "./cases.mjs";

/** @import { Sizes } from "./cases.mjs" */
/** @import { Node } from "../attention/onnx.mjs" */
/** @typedef {"fused" | "plain"} Style */

/** [out, in] → [in, out], several maps side by side. */
function columns(
  /** @type {Float32Array[]} */ matrices,
  /** @type {number} */ out,
  /** @type {number} */ into,
) {
  const N = out * matrices.length;
  const values = new Float32Array(N * into);
  for (const [m, matrix] of matrices.entries())
    for (let o = 0; o < out; o++)
      for (let i = 0; i < into; i++) values[i * N + m * out + o] = matrix[o * into + i];
  return values;
}

/** Nodes and constants of one graph while it is written. */
class Graph {
  /** @type {Node[]} */
  nodes = [];
  /** @type {Record<string, { data: Float32Array, dims: number[] }>} */
  tensors = {};
  #weights;
  #made = 0;

  constructor(/** @type {Record<string, Float32Array>} */ weights) {
    this.#weights = weights;
  }

  /** Adds a node and answers the name of its output. */
  add(
    /** @type {string} */ op,
    /** @type {string[]} */ inputs,
    /** @type {Omit<Node, "op" | "inputs" | "outputs">} */ more = {},
  ) {
    const output = `x${this.#made++}`;
    this.nodes.push({ op, inputs, outputs: [output], ...more });
    return output;
  }

  fused(
    /** @type {string} */ op,
    /** @type {string[]} */ inputs,
    /** @type {Node["attributes"]} */ attributes = {},
  ) {
    return this.add(op, inputs, { domain: "com.microsoft", attributes });
  }

  vector(/** @type {string} */ name) {
    return this.constant(name, this.#weights[name], [this.#weights[name].length]);
  }

  table(/** @type {string} */ name, /** @type {number} */ C) {
    return this.constant(name, this.#weights[name], [this.#weights[name].length / C, C]);
  }

  /** The matrices of some maps, side by side, and their biases. */
  maps(/** @type {string[]} */ names, /** @type {number} */ out, /** @type {number} */ into) {
    const matrices = names.map((name) => this.#weights[`${name}/weight`]);
    const biases = names.flatMap((name) => [...this.#weights[`${name}/bias`]]);
    const all = out * names.length;
    return [
      this.constant(`${names[0]}/columns`, columns(matrices, out, into), [into, all]),
      this.constant(`${names[0]}/biases`, Float32Array.from(biases), [all]),
    ];
  }

  constant(/** @type {string} */ name, /** @type {Float32Array} */ data, /** @type {number[]} */ dims) {
    this.tensors[name] = { data, dims };
    return name;
  }
}

/** The states from fused operators. */
function fusedStates(/** @type {Graph} */ graph, /** @type {Sizes} */ { layers, width: C, heads, inner: F }) {
  const norm = (/** @type {string} */ name) => [`${name}/gamma`, `${name}/beta`].map((n) => graph.vector(n));
  const tables = ["token", "position", "type"].map((n) => graph.table(`embedding/${n}`, C));
  let x = graph.fused("EmbedLayerNormalization", ["ids", "types", ...tables, ...norm("embedding/norm")], {
    epsilon: EPSILON,
  });
  // The counts of tokens, which are inputs already.
  graph.nodes.at(-1)?.outputs.push("counts");
  for (let n = 0; n < layers; n++) {
    const [self, feed] = [`encoder/${n}/self`, `encoder/${n}/feed`];
    const qkv = graph.maps([`${self}/query`, `${self}/key`, `${self}/value`], C, C);
    const mixed = graph.fused("Attention", [x, ...qkv, "lengths"], { num_heads: heads });
    const [output, outputBias] = graph.maps([`${self}/output`], C, C);
    const added = graph.add("MatMul", [mixed, output]);
    x = graph.fused("SkipLayerNormalization", [added, x, ...norm(`${self}/norm`), outputBias], {
      epsilon: EPSILON,
    });
    const [into, intoBias] = graph.maps([`${feed}/in`], F, C);
    const active = graph.fused("BiasGelu", [graph.add("MatMul", [x, into]), intoBias]);
    const [out, outBias] = graph.maps([`${feed}/out`], C, F);
    x = graph.fused(
      "SkipLayerNormalization",
      [graph.add("MatMul", [active, out]), x, ...norm(`${feed}/norm`), outBias],
      { epsilon: EPSILON },
    );
  }
  return x;
}

/** The states from operators of the standard. */
function plainStates(/** @type {Graph} */ graph, /** @type {Sizes} */ { layers, width: C, inner: F }) {
  const norm = (/** @type {string} */ x, /** @type {string} */ name) =>
    graph.add("LayerNormalization", [x, graph.vector(`${name}/gamma`), graph.vector(`${name}/beta`)], {
      attributes: { axis: -1, epsilon: EPSILON },
    });
  const map = (
    /** @type {string} */ x,
    /** @type {string} */ name,
    /** @type {number} */ out,
    /** @type {number} */ into,
  ) => {
    const [matrix, bias] = graph.maps([name], out, into);
    return graph.add("Add", [graph.add("MatMul", [x, matrix]), bias]);
  };
  const rows = (/** @type {string} */ name, /** @type {string} */ ids) =>
    graph.add("Gather", [graph.table(`embedding/${name}`, C), ids]);
  const tokens = graph.add("Add", [rows("token", "ids"), rows("position", "places")]);
  let x = norm(graph.add("Add", [tokens, rows("type", "types")]), "embedding/norm");
  for (let n = 0; n < layers; n++) {
    const [self, feed] = [`encoder/${n}/self`, `encoder/${n}/feed`];
    const split = (/** @type {string} */ name, /** @type {number[]} */ perm) =>
      graph.add("Transpose", [graph.add("Reshape", [map(x, `${self}/${name}`, C, C), "heads"])], {
        attributes: { perm },
      });
    const scores = graph.add("MatMul", [split("query", [0, 2, 1, 3]), split("key", [0, 2, 3, 1])]);
    const masked = graph.add("Add", [graph.add("Mul", [scores, "factor"]), "mask"]);
    const shares = graph.add("Softmax", [masked], { attributes: { axis: -1 } });
    const mixed = graph.add("Transpose", [graph.add("MatMul", [shares, split("value", [0, 2, 1, 3])])], {
      attributes: { perm: [0, 2, 1, 3] },
    });
    const joined = graph.add("Reshape", [mixed, "joined"]);
    x = norm(graph.add("Add", [x, map(joined, `${self}/output`, C, C)]), `${self}/norm`);
    const active = graph.add("Gelu", [map(x, `${feed}/in`, F, C)]);
    x = norm(graph.add("Add", [x, map(active, `${feed}/out`, C, F)]), `${feed}/norm`);
  }
  return x;
}

/** A model of batches of any size, and the names of its inputs. */
export function encoderModel(/** @type {Sizes} */ sizes, /** @type {Style} */ style) {
  const graph = new Graph(weightsOf(sizes));
  const states = style === "fused" ? fusedStates(graph, sizes) : plainStates(graph, sizes);
  // The shares of the tokens are 1/length where there is a token and 0 elsewhere.
  const means = graph.add("MatMul", ["shares", states]);
  graph.nodes.push({
    op: "LpNormalization",
    inputs: [means],
    outputs: ["output"],
    attributes: { axis: -1, p: 2 },
  });
  const { heads, width } = sizes;
  const inputs = {
    ...{ ids: ["B", "T"], types: ["B", "T"], shares: ["B", 1, "T"] },
    ...(style === "fused" ? { lengths: ["B"] } : { places: ["B", "T"], mask: ["B", 1, 1, "T"] }),
  };
  const isFloat = (/** @type {string} */ name) => name === "shares" || name === "mask";
  const model = onnxModel({
    opset: 20,
    nodes: graph.nodes,
    inputs: Object.entries(inputs).map(([name, shape]) => ({
      name,
      shape,
      type: isFloat(name) ? "float32" : "int32",
    })),
    outputs: [{ name: "output", shape: ["B", 1, width] }],
    vectors: style === "plain" ? { heads: [0, 0, heads, width / heads], joined: [0, 0, width] } : {},
    scalars: style === "plain" ? { factor: Math.sqrt(heads / width) } : {},
    tensors: graph.tensors,
  });
  return { model, inputs: Object.keys(inputs) };
}
