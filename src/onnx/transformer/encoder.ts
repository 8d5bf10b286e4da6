import type { Transformer } from "../../models/transformer/transformer.ts";
import { paddingBias } from "../attention.ts";
import { Graph, type Value } from "../format/graph.ts";
import { concat, range, reshape, sizeOf, transpose } from "../format/operations.ts";
import { embed } from "./embeddings.ts";
import { classLogits, pooled, tokenLogits } from "./head.ts";
import { Scope } from "./scope.ts";
import { anglesOf, positionBias, runStack } from "./stack.ts";

/** How an image is cut into patches. */
export interface ImageOptions {
  /** Pixels of a side of a patch. */
  readonly patchSize: number;
  /** @default 3 */
  readonly channels?: number;
}

/** A model's encoder with whatever reads its states: one graph. */
export function encoderGraph(model: Transformer, opset: number, image?: ImageOptions): Graph {
  const graph = new Graph("encoder", opset);
  const scope = new Scope(graph, model);
  const { config } = model;
  const states = encode(scope, image);
  const { width: C, vocabulary: V, classes, head } = config;
  const T = image ? "patches" : "sequence";
  if (config.decoderLayers === 0 && classes !== undefined) {
    graph.output("logits", classLogits(scope, states), "float", ["batch", classes]);
    return graph;
  }
  const hasLogits = config.decoderLayers === 0 && head !== undefined;
  if (hasLogits) graph.output("logits", tokenLogits(scope, states), "float", ["batch", T, V]);
  const pool = config.pooler ? pooled(scope, states) : undefined;
  if (!hasLogits) {
    const length = config.classToken ? `${T} + 1` : T;
    graph.output("last_hidden_state", states, "float", ["batch", length, C]);
  }
  if (pool) graph.output("pooler_output", pool, "float", ["batch", C]);
  return graph;
}

function encode(scope: Scope, image: ImageOptions | undefined): Value {
  const { graph, config } = scope;
  const { tokens, mask } = image ? { tokens: patches(scope, image), mask: undefined } : sequence(scope);
  const types = config.types > 1 ? graph.input("token_type_ids", "int64", ["batch", "sequence"]) : undefined;
  let length = sizeOf(graph, tokens, 1);
  if (config.classToken) length = graph.op("Add", [length, graph.ints([1])]);
  const positions = range(graph, graph.ints([0]), length);
  const x = embed(scope, { tokens, types, positions });
  const stack = scope.at("encoder");
  const added = positionBias(stack, { queries: positions, keys: positions }, false);
  const padding = mask && paddingBias(graph, mask, length);
  const bias = padding && added ? graph.op("Add", [padding, added]) : (padding ?? added);
  return runStack(stack, config.encoderLayers, x, { bias, angles: anglesOf(scope, positions) });
}

/** Tokens or vectors with their mask, int64 [B, S]. */
function sequence(scope: Scope): { tokens: Value; mask: Value } {
  const { graph, config } = scope;
  const { inputWidth } = config;
  const given =
    inputWidth === undefined
      ? graph.input("input_ids", "int64", ["batch", "sequence"])
      : graph.input("inputs", "float", ["batch", "sequence", inputWidth]);
  const tokens = inputWidth === undefined ? given : scope.map("embedding/input", given);
  let mask = graph.input("attention_mask", "int64", ["batch", "sequence"]);
  if (config.classToken) {
    const shape = concat(graph, [sizeOf(graph, mask, 0), graph.ints([1])], 0);
    mask = concat(graph, [graph.op("Expand", [graph.ints([1]), shape]), mask], 1);
  }
  return { tokens, mask };
}

/** The patches of images [B, channels, height, width], row by row, each through the map of inputs: [B, N, E]. */
function patches(scope: Scope, { patchSize: P, channels = 3 }: ImageOptions): Value {
  const { graph, config } = scope;
  const E = config.embeddingWidth;
  const pixels = graph.input("pixel_values", "float", ["batch", channels, "height", "width"]);
  const kernel = reshape(graph, scope.get("embedding/input/weight"), [E, channels, P, P]);
  const cut = graph.op("Conv", [pixels, kernel, scope.get("embedding/input/bias")], { strides: [P, P] });
  return transpose(graph, reshape(graph, cut, [0, E, -1]), [0, 2, 1]);
}
