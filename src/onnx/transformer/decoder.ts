import type { Transformer } from "../../models/transformer/transformer.ts";
import { biasOf, causalMask, paddingBias } from "../attention.ts";
import { Graph, type Value } from "../format/graph.ts";
import { cast, concat, range, sizeOf, sliceFrom, unsqueeze } from "../format/operations.ts";
import type { Dimension, Port } from "../format/protos.ts";
import type { Places } from "../positions.ts";
import { embed } from "./embeddings.ts";
import { tokenLogits } from "./head.ts";
import { Scope } from "./scope.ts";
import {
  anglesOf,
  type Extended,
  type KeysAndValues,
  keysAndValues,
  positionBias,
  runStack,
} from "./stack.ts";

/** A decoder without an encoder, with the keys and values of earlier tokens as inputs and outputs: one graph. */
export function decoderGraph(model: Transformer, opset: number): Graph {
  const graph = new Graph("decoder", opset);
  const scope = new Scope(graph, model);
  const { config } = model;
  const tokens = graph.input("input_ids", "int64", ["batch", "sequence"]);
  const mask = graph.input("attention_mask", "int64", ["batch", "past + sequence"]);
  const cache = new Cache(graph, config, "");
  const past = sizeOf(graph, cache.key(0), 2);
  // Padding, before or after a text, takes no position: a token's is the number of those that are there before it.
  const counted = graph.op("Sub", [graph.op("CumSum", [mask, graph.ints([1], [])]), graph.ints([1], [])]);
  const keys = graph.op("Max", [counted, graph.ints([0], [])]);
  const places = { keys, queries: sliceFrom(graph, keys, past, 1) };
  const visible = graph.op("And", [
    causalMask(graph, { ...places, window: config.window }),
    unsqueeze(graph, cast(graph, mask, "bool"), 1, 2),
  ]);
  const stack = scope.at("decoder");
  const states = runStack(stack, config.decoderLayers, embed(scope, { tokens, positions: places.queries }), {
    bias: biasOf(graph, visible, positionBias(stack, places, true)),
    angles: anglesOf(scope, places.queries),
    extend: (layer, made) => cache.extend(layer, made),
  });
  outputs(scope, states);
  cache.write();
  return graph;
}

/**
 * The decoder of a model with an encoder: one graph for the first step and for those after it, which `use_cache_branch` tells
 * apart. In the first step the memory's keys and values are made of `encoder_hidden_states` and nothing that came in as past
 * is read; after it they are handed on.
 */
export function crossDecoderGraph(model: Transformer, opset: number): Graph {
  const graph = new Graph("decoder", opset);
  const scope = new Scope(graph, model);
  const { config } = model;
  const tokens = graph.input("input_ids", "int64", ["batch", "sequence"]);
  const memory = graph.input("encoder_hidden_states", "float", ["batch", "encoder_sequence", config.width]);
  const memoryMask = graph.input("encoder_attention_mask", "int64", ["batch", "encoder_sequence"]);
  const own = new Cache(graph, config, "decoder.");
  const theirs = new Cache(graph, config, "encoder.");
  const isLater = graph.input("use_cache_branch", "bool", [1]);
  const past = graph.op("Where", [isLater, sizeOf(graph, own.key(0), 2), graph.ints([0])]);
  const T = sizeOf(graph, tokens, 1);
  const places = placesAfter(graph, past, T);
  const stack = scope.at("decoder");
  const visible = causalMask(graph, { ...places, window: config.window });
  const states = runStack(stack, config.decoderLayers, embed(scope, { tokens, positions: places.queries }), {
    bias: biasOf(graph, visible, positionBias(stack, places, true)),
    angles: anglesOf(scope, places.queries),
    memoryBias: paddingBias(graph, memoryMask, T),
    extend: (layer, made, cross) => {
      const [k, v, memoryK, memoryV] = graph.choose(
        isLater,
        [...own.shapes, ...theirs.shapes],
        [
          (branch) => {
            const { k, v } = own.joined(branch, layer, made);
            return [k, v, theirs.key(layer), theirs.value(layer)];
          },
          (branch) => {
            const read = keysAndValues(cross.within(branch), memory);
            return [made.k, made.v, read.k, read.v];
          },
        ],
      ) as [Value, Value, Value, Value];
      own.keep({ k, v });
      theirs.keep({ k: memoryK, v: memoryV });
      return { k, v, memory: { k: memoryK, v: memoryV } };
    },
  });
  outputs(scope, states);
  own.write();
  theirs.write();
  return graph;
}

/** T positions after P of the past, and all P + T of the keys. */
function placesAfter(graph: Graph, P: Value, T: Value): Places {
  const end = graph.op("Add", [P, T]);
  return { queries: range(graph, P, end), keys: range(graph, graph.ints([0]), end) };
}

function outputs(scope: Scope, states: Value): void {
  const { graph, config } = scope;
  const shape = ["batch", "sequence"];
  if (config.head) graph.output("logits", tokenLogits(scope, states), "float", [...shape, config.vocabulary]);
  else graph.output("last_hidden_state", states, "float", [...shape, config.width]);
}

/** Inputs past_key_values.N.key and .value, and the outputs present.N.key and .value. */
class Cache {
  readonly #graph: Graph;
  readonly #part: string;
  readonly #ports: { key: Value; value: Value }[];
  readonly #sizes: (length: string) => Dimension[];
  readonly #kept: KeysAndValues[] = [];

  /** @param part what stands between the layer's number and `key`, in a model that has two of them */
  constructor(graph: Graph, config: Scope["config"], part: "" | "decoder." | "encoder.") {
    const { decoderLayers, keyValueHeads, headWidth } = config;
    this.#graph = graph;
    this.#part = part;
    this.#sizes = (length) => ["batch", keyValueHeads, length, headWidth];
    const length = part === "encoder." ? "encoder_past" : "past";
    const port = (layer: number, name: Port["name"]) =>
      graph.input(`past_key_values.${layer}.${part}${name}`, "float", this.#sizes(length));
    this.#ports = Array.from({ length: decoderLayers }, (_, layer) => ({
      key: port(layer, "key"),
      value: port(layer, "value"),
    }));
  }

  /** Of a branch's outputs, key and value. */
  get shapes(): Dimension[][] {
    const sizes = this.#sizes(this.#part === "encoder." ? "encoder_sequence" : "past + sequence");
    return [sizes, sizes];
  }

  key(layer: number): Value {
    return this.#ports[layer]!.key;
  }

  value(layer: number): Value {
    return this.#ports[layer]!.value;
  }

  /** Those of the past and these after them. */
  joined(graph: Graph, layer: number, { k, v }: KeysAndValues): KeysAndValues {
    return {
      k: concat(graph, [this.key(layer), k], 2),
      v: concat(graph, [this.value(layer), v], 2),
    };
  }

  extend(layer: number, made: KeysAndValues): Extended {
    const all = this.joined(this.#graph, layer, made);
    this.keep(all);
    return all;
  }

  /** What the next step is to be given, layer after layer. */
  keep(all: KeysAndValues): void {
    this.#kept.push(all);
  }

  write(): void {
    const [shape] = this.shapes;
    for (const [layer, { k, v }] of this.#kept.entries()) {
      this.#graph.output(`present.${layer}.${this.#part}key`, k, "float", shape!);
      this.#graph.output(`present.${layer}.${this.#part}value`, v, "float", shape!);
    }
  }
}
