import type * as tf from "@tensorflow/tfjs-core";

/**
 * How much a query asks for a key: the first of attention's four steps, score → mask → normalise → aggregate.
 * A score never owns its parameters: pass tensors or variables, keep and dispose them yourself.
 */
export interface Score {
  readonly name: string;
  /** Work that depends on the keys alone, done once a source: keys [B, S, Dk] → [B, S, *]. */
  prepare(keys: tf.Tensor3D): tf.Tensor3D;
  /** Scores [B, T, S] of queries [B, T, Dq] against prepared keys. */
  score(queries: tf.Tensor3D, prepared: tf.Tensor3D): tf.Tensor3D;
  /**
   * The factor of a score that is factor · query·prepared, for widths that were checked. `attend` hands such a score to
   * one kernel.
   */
  readonly factor?: (queries: tf.Tensor3D, prepared: tf.Tensor3D) => number;
  /** Of a score with a factor: what it makes of the queries before the product, [B, T, *]. @default the queries */
  readonly query?: (queries: tf.Tensor3D) => tf.Tensor3D;
  /** Of a score that is v·tanh(query + prepared): its parts, which `attend` hands to one kernel. */
  readonly hidden?: HiddenLayer;
}

/** The hidden layer of a score v·tanh(query + prepared), with prepared [B, S, A]. */
export interface HiddenLayer {
  /** [A] */
  readonly v: tf.Tensor1D;
  /** Projected queries: [B, T, Dq] → [B, T, A]. */
  query(queries: tf.Tensor3D, prepared: tf.Tensor3D): tf.Tensor3D;
}
