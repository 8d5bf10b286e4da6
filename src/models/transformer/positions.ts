/** What positions add: vectors to embeddings, a bias to scores, a rotation to queries and keys. */
import * as tf from "@tensorflow/tfjs-core";
import { alibiBias, alibiKeyBias } from "../../attention/position/alibi.ts";
import { applyRope, ropeTable } from "../../attention/position/rope.ts";
import { sinusoidalEncoding } from "../../attention/position/sinusoidal.ts";
import { t5Bias } from "../../attention/position/t5-bias.ts";
import { ShapeError } from "../../core/errors.ts";
import type { FullConfig } from "./config.ts";
import type { Weights } from "./weights.ts";

/** Positions `first` … `first + T − 1` as vectors [T, E]; undefined where embeddings know nothing of them. */
export function positionVectors(weights: Weights, T: number, first: number): tf.Tensor2D | undefined {
  const { positions, embeddingWidth: E } = weights.config;
  if (positions.kind === "sinusoidal") {
    const encoding = sinusoidalEncoding(T, E, { offset: first });
    return positions.order === "interleaved" ? encoding : halves(encoding);
  }
  if (positions.kind !== "learned") return undefined;
  const { length, first: begin = 0 } = positions;
  if (begin + first + T > length) {
    throw new ShapeError("CONFLICT", {
      op: "Transformer",
      rule: `a sequence must end at the ${length - begin} positions that this model has`,
      got: first + T,
      remedy: "cut the text, or use a model of more positions",
    });
  }
  return tf.slice(weights.get<tf.Tensor2D>("embedding/position"), [begin + first, 0], [T, E]);
}

/** All sines, then all cosines. */
function halves(encoding: tf.Tensor2D): tf.Tensor2D {
  const [T, E] = encoding.shape;
  const pairs = tf.transpose(tf.reshape(encoding, [T, E / 2, 2]), [0, 2, 1]);
  return tf.reshape(pairs, [T, E]);
}

/** What the scores of one stack have added: [1, H, T, S] or [1, H, 1, S]; undefined for most. */
export function positionBias(
  weights: Weights,
  { T, S, causal }: { T: number; S: number; causal: boolean },
): tf.Tensor4D | undefined {
  const { positions, heads: H } = weights.config;
  const queryOffset = S - T;
  if (positions.kind === "t5") {
    const { maxDistance } = positions;
    const table = weights.get<tf.Tensor2D>("distances");
    return t5Bias({ table }, T, S, { bidirectional: !causal, maxDistance, queryOffset });
  }
  if (positions.kind !== "alibi") return undefined;
  return causal ? alibiKeyBias(H, S) : alibiBias(H, T, S, { queryOffset });
}

/** Turns queries or keys [B, T, H, D] that stand at `first` … `first + T − 1`; the identity for most. */
export type Turn = (x: tf.Tensor4D) => tf.Tensor4D;

export function rotation({ positions, headWidth: D }: FullConfig, T: number, first: number): Turn {
  if (positions.kind !== "rope") return (x) => x;
  const { base, scaling, width = D, pairs = "half" } = positions;
  const table = ropeTable(T, width, { base, offset: first, ...(scaling && { scaling }) });
  return (x) => applyRope(x, table, { pairs, layout: "bthd" });
}
