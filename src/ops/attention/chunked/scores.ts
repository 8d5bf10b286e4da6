/** What forward and backward pass compute of a chunk of queries × keys. */
import * as tf from "@tensorflow/tfjs-core";
import type { AttentionProgram } from "../../../core/program.ts";
import { dotScores, dropoutTensor } from "../composed.ts";
import { seenMask } from "../guard.ts";
import { allowTensor } from "../mask.ts";
import {
  type ChunkSizes,
  chunkProgram,
  cut,
  type Range,
  type Visibility,
  visibilityFrom,
} from "./program.ts";

type Program = AttentionProgram<tf.Tensor>;

export interface ChunkedOptions extends ChunkSizes {
  /** The caller's values: whether they are finite is remembered by the tensor. */
  readonly original: tf.Tensor;
  /** Promise that the inputs are finite even in hidden places. */
  readonly finite?: boolean | undefined;
}

/** Where a chunk stands. */
export interface Place {
  readonly queries: Range;
  readonly keys: Range;
  readonly visible: Visibility;
}

/** A chunk of a call as a program, and where it stands. */
export interface Chunk extends Place {
  readonly part: Program;
  /** Where a key may be seen; undefined where nothing is hidden. */
  readonly seen: tf.Tensor | undefined;
}

/** The chunks of keys beside a chunk of queries. */
export function placesOf(program: Program, queries: Range, { keyChunkSize }: ChunkSizes): Place[] {
  const visibility = visibilityFrom(program, queries);
  return cut(program.shapes.S, keyChunkSize).map((keys) => ({ queries, keys, visible: visibility(keys) }));
}

export function chunkAt(program: Program, place: Place): Chunk {
  const part = chunkProgram(program, place.queries, place.keys, place.visible === "all");
  return { ...place, part, seen: seenMask(allowTensor(part), part.bias?.array) };
}

/** Scores [B, H, rows, keys], −∞ where hidden; and what the soft-cap made of the products. */
export function scoresOf({ part, seen }: Chunk, q: tf.Tensor, k: tf.Tensor) {
  const { softCap, bias } = part;
  const products = dotScores(part, q, k);
  const capped = softCap === undefined ? products : tf.mul(tf.tanh(tf.div(products, softCap)), softCap);
  const all = bias ? tf.add(capped, bias.array) : capped;
  return { capped, scores: seen ? tf.where(seen, all, Number.NEGATIVE_INFINITY) : all };
}

/** x [B, H, rows, keys] with dropout's factors. */
export function dropped({ dropout }: Program, { part, queries, keys }: Chunk, x: tf.Tensor): tf.Tensor {
  return dropout ? tf.mul(x, dropoutTensor({ ...part, dropout }, queries[0], keys[0])) : x;
}

/** The sink's logits beside a column [B, H, rows, 1]. */
export function sinkColumn(sink: number | tf.Tensor, { shape }: tf.Tensor): tf.Tensor {
  return typeof sink === "number"
    ? tf.fill(shape, sink)
    : tf.broadcastTo(tf.reshape(sink, [1, sink.size, 1, 1]), shape);
}
