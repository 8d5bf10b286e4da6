import type * as tf from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import type { ArrayInfo } from "../../core/notation.ts";
import { attentionShapes, checkRank, checkSame } from "../../core/shapes.ts";
import { checkTensors, type Expected } from "../../ops/check.ts";

/** Keras' EinsumDense shapes; biases may be left out. */
export interface MultiHeadParameters {
  /** [C, H, D] */
  wq: tf.Tensor3D;
  /** [H, D] @default none */
  bq?: tf.Tensor2D;
  /** [Ck, Hkv, D] */
  wk: tf.Tensor3D;
  /** [Hkv, D] @default none */
  bk?: tf.Tensor2D;
  /** [Cv, Hkv, Dv] */
  wv: tf.Tensor3D;
  /** [Hkv, Dv] @default none */
  bv?: tf.Tensor2D;
  /** [H, Dv, Cout] @default none: the heads side by side, Cout = H·Dv */
  wo?: tf.Tensor3D;
  /** [Cout] @default none */
  bo?: tf.Tensor1D;
}

export interface MultiHeadInputs {
  /** [B, T, C] */
  query: tf.Tensor3D;
  /** [B, S, Ck] @default value, or query where there is none */
  key?: tf.Tensor3D;
  /** [B, S, Cv] @default query */
  value?: tf.Tensor3D;
}

/**
 * The sizes of projected attention.
 *
 * @throws ShapeError RANK, DIMENSION, SHAPE, HEADS
 */
export function checkMultiHead(
  op: string,
  { query, key, value }: Record<keyof MultiHeadInputs, Pick<tf.Tensor3D, "shape" | "dtype">>,
  { wq, bq, wk, bk, wv, bv, wo, bo }: MultiHeadParameters,
) {
  const names = { query: "query [B, T, C]", key: "key [B, S, Ck]", value: "value [B, S, Cv]" };
  checkRank(op, names.query, query, 3);
  checkRank(op, names.key, key, 3);
  checkRank(op, names.value, value, 3);
  const at = (name: keyof typeof names, array: ArrayInfo, axis: number) => ({
    name: names[name],
    array,
    axis,
  });
  checkSame(op, "B", at("query", query, 0), at("key", key, 0));
  checkSame(op, "B", at("key", key, 0), at("value", value, 0));
  checkSame(op, "S", at("key", key, 1), at("value", value, 1));
  checkRank(op, "wq [C, H, D]", wq, 3);
  checkRank(op, "wk [Ck, Hkv, D]", wk, 3);
  checkRank(op, "wv [Cv, Hkv, Dv]", wv, 3);
  if (wo) checkRank(op, "wo [H, Dv, Cout]", wo, 3);
  const [B, T, C] = query.shape;
  const [, S, Ck] = key.shape;
  const [, H, D] = wq.shape;
  const [, Hkv] = wk.shape;
  const [Cv, Dv] = [value.shape[2], wv.shape[2]];
  const expected: Expected[] = [
    { name: "query", tensor: query, letters: "[B, T, C]", shape: [B, T, C] },
    { name: "key", tensor: key, letters: "[B, S, Ck]", shape: [B, S, Ck] },
    { name: "value", tensor: value, letters: "[B, S, Cv]", shape: [B, S, Cv] },
    { name: "wq", tensor: wq, letters: "[C, H, D]", shape: [C, H, D] },
    { name: "wk", tensor: wk, letters: "[Ck, Hkv, D]", shape: [Ck, Hkv, D] },
    { name: "wv", tensor: wv, letters: "[Cv, Hkv, Dv]", shape: [Cv, Hkv, Dv] },
    ...(bq ? [{ name: "bq", tensor: bq, letters: "[H, D]", shape: [H, D] }] : []),
    ...(bk ? [{ name: "bk", tensor: bk, letters: "[Hkv, D]", shape: [Hkv, D] }] : []),
    ...(bv ? [{ name: "bv", tensor: bv, letters: "[Hkv, Dv]", shape: [Hkv, Dv] }] : []),
  ];
  if (wo) {
    const Cout = wo.shape[2];
    expected.push({ name: "wo", tensor: wo, letters: "[H, Dv, Cout]", shape: [H, Dv, Cout] });
    if (bo) expected.push({ name: "bo", tensor: bo, letters: "[Cout]", shape: [Cout] });
  } else if (bo) {
    const remedy = "leave both out for heads side by side";
    throw new ShapeError("SHAPE", { op, rule: "bo must come with wo", got: "bo alone", remedy });
  }
  checkTensors(op, expected);
  const array = (...shape: number[]) => ({ shape, dtype: "float32" });
  return attentionShapes(op, array(B, T, H, D), array(B, S, Hkv, D), array(B, S, Hkv, Dv), "bthd");
}
