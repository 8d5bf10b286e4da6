/** The sublayers of a detection transformer: norm first, and positions in queries and keys alone. */
import * as tf from "@tensorflow/tfjs-core";
import { multiHeadAttention } from "../../../attention/sequence/multi-head.ts";
import { dense, normalized } from "../../maps.ts";
import type { Parameters } from "../../parameters.ts";
import { readAttention } from "../maps.ts";

export interface Reading {
  /** What is read, normalised already. @default x itself, normalised */
  readonly memory?: tf.Tensor3D;
  /** [T, C], of x. */
  readonly queryPlaces: tf.Tensor2D;
  /** [S, C], of what is read. */
  readonly keyPlaces: tf.Tensor2D;
  /** Return the weights [B, H, T, S]. @default false */
  readonly weights?: boolean;
}

/** x [B, T, C] and what it reads. */
export function attended(
  p: Parameters,
  name: string,
  heads: number,
  x: tf.Tensor3D,
  { memory, queryPlaces, keyPlaces, weights: wanted = false }: Reading,
): { output: tf.Tensor3D; weights?: tf.Tensor4D } {
  const own = normalized(p, `${name}/norm`, x);
  const value = memory ?? own;
  const inputs = {
    query: tf.add<tf.Tensor3D>(own, queryPlaces),
    key: tf.add<tf.Tensor3D>(value, keyPlaces),
    value,
  };
  const options: { weights?: boolean } = { weights: wanted };
  const { output, weights } = multiHeadAttention(inputs, readAttention(p, name, heads), options);
  return { output: tf.add(x, output), ...(weights && { weights }) };
}

/** x and what its feed-forward maps add. */
export function think(p: Parameters, name: string, x: tf.Tensor3D): tf.Tensor3D {
  const inner = tf.relu(dense(p, `${name}/in`, normalized(p, `${name}/norm`, x)));
  return tf.add(x, dense(p, `${name}/out`, inner));
}
