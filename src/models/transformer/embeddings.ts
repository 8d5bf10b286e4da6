import * as tf from "@tensorflow/tfjs-core";
import type { Dropout } from "./dropout.ts";
import { positionVectors } from "./positions.ts";
import type { Span } from "./span.ts";
import type { Weights } from "./weights.ts";

export interface EmbeddingInputs {
  /** Tokens [B, T], int32; or vectors [B, T, Cin]. */
  readonly tokens: tf.Tensor2D | tf.Tensor3D;
  /** Kinds of segments [B, T], int32. @default all 0, in a model that has them */
  readonly types?: tf.Tensor2D | undefined;
  /** @default 0, 1, … */
  readonly span?: Span;
}

/** Rows of a table: ids [B, T] → [B, T, E]. */
function looked(weights: Weights, name: string, ids: tf.Tensor): tf.Tensor3D {
  const [B, T] = ids.shape as [number, number];
  const rows = weights.rows(`embedding/${name}`, tf.reshape<tf.Rank.R1>(ids, [B * T]));
  return tf.reshape(rows, [B, T, -1]);
}

/** Tokens, positions and kinds of segments as one vector each: [B, T, C]. */
export function embed(
  weights: Weights,
  { tokens, types, span = { first: 0 } }: EmbeddingInputs,
  dropout: Dropout,
): tf.Tensor3D {
  const { config } = weights;
  const B = tokens.shape[0];
  let x =
    tokens.rank === 3
      ? weights.map("embedding/input", tokens as tf.Tensor3D)
      : looked(weights, "token", tokens);
  if (config.classToken)
    x = tf.concat([tf.tile(tf.reshape(weights.get("embedding/class"), [1, 1, -1]), [B, 1, 1]), x], 1);
  const T = x.shape[1];
  if (config.embeddingScale !== 1) x = tf.mul(x, config.embeddingScale);
  const positions = positionVectors(weights, B, T, span);
  if (positions) x = tf.add(x, positions);
  if (config.types > 0) {
    const first = () =>
      tf.slice(weights.get<tf.Tensor2D>("embedding/type"), [0, 0], [1, config.embeddingWidth]);
    x = tf.add(x, types ? looked(weights, "type", types) : first());
  }
  x = dropout.apply(weights.norm("embedding/norm", x));
  return weights.has("embedding/projection/weight") ? weights.map("embedding/projection", x) : x;
}
