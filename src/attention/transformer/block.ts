/** What encoder and decoder layers of Transformers share: sublayers, each with its norm and its dropout. */
import * as tf from "@tensorflow/tfjs-core";
import { derivedSeed } from "../../core/derived-seed.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { notAChoice, outOfRange, unequal, wrongRank } from "../../core/faults.ts";
import { dropout } from "../../ops/dropout.ts";
import { gelu } from "../../ops/gelu.ts";
import { layerNorm } from "../../ops/layer-norm.ts";
import { linear } from "../../ops/linear.ts";
import type { MultiHeadOptions, MultiHeadParameters } from "../sequence/multi-head.ts";

export interface NormParameters {
  /** [C] @default ones */
  gamma?: tf.Tensor1D | undefined;
  /** [C] @default zeros */
  beta?: tf.Tensor1D | undefined;
}

export interface FeedForwardParameters {
  /** [C, F] */
  w1: tf.Tensor2D;
  /** [F] @default none */
  b1?: tf.Tensor1D | undefined;
  /** [F, C] */
  w2: tf.Tensor2D;
  /** [C] @default none */
  b2?: tf.Tensor1D | undefined;
}

/** What self-attention or cross-attention may see; all of it composes. */
export type TransformerMask = Omit<MultiHeadOptions, "weights" | "lse" | "dropout" | "training">;

export interface BlockOptions {
  /** Between the two maps of the feed-forward sublayer; gelu is the exact one. @default "relu" */
  activation?: "relu" | "gelu";
  /** Normalises what goes into a sublayer, not what comes out. @default false, as in the paper */
  preNorm?: boolean;
  /** ε of the norms, above 0. @default 1e-5 */
  epsilon?: number;
  /** Share dropped of attention's weights, of what is between the feed-forward maps and of what each sublayer adds. @default none */
  dropout?: { rate: number; seed: number };
  /** Applies `dropout`. @default false */
  training?: boolean;
}

export interface Block {
  /** x and what a sublayer adds to it, with its norm in the one place or the other. */
  sublayer(x: tf.Tensor3D, norm: NormParameters, run: (x: tf.Tensor3D) => tf.Tensor3D): tf.Tensor3D;
  feedForward(x: tf.Tensor3D, parameters: FeedForwardParameters): tf.Tensor3D;
  /** What a sublayer gives, some of it dropped; another part at each place that this is called from. */
  drop(x: tf.Tensor3D): tf.Tensor3D;
  /** Dropout of attention's weights; a seed of its own for each attention of the block. */
  attentionDropout(): { dropout?: { rate: number; seed: number }; training: boolean };
}

/** Marks the seeds of attention's weights among those that a seed stands for; the other places are streams of it. */
const OF_WEIGHTS = 3;

/** @throws OptionError OPTION */
export function block(op: string, options: BlockOptions): Block {
  const { activation = "relu", preNorm = false, epsilon = 1e-5, training = false } = options;
  if (activation !== "relu" && activation !== "gelu") {
    const choices = ['"relu"', '"gelu"'];
    throw new OptionError("OPTION", notAChoice({ op, name: "activation", choices, got: activation }));
  }
  if (!(epsilon > 0 && epsilon < Infinity)) {
    throw new OptionError(
      "OPTION",
      outOfRange({ op, name: "epsilon", rule: "a number above 0", got: epsilon }),
    );
  }
  const { rate = 0, seed = 0 } = options.dropout ?? {};
  if (!(rate >= 0 && rate < 1)) {
    const rule = "at least 0 and below 1";
    throw new OptionError("OPTION", outOfRange({ op, name: "dropout.rate", rule, got: rate }));
  }
  let stream = 0;
  let attentions = 0;
  const drop = (x: tf.Tensor3D) => {
    stream++;
    return training && rate > 0 ? dropout(x, rate, { seed, stream }) : x;
  };
  const normal = (x: tf.Tensor3D, { gamma, beta }: NormParameters) => layerNorm(x, gamma, beta, { epsilon });
  return {
    drop,
    sublayer(x, norm, run) {
      if (preNorm) return tf.add(x, drop(run(normal(x, norm))));
      return normal(tf.add(x, drop(run(x))), norm);
    },
    feedForward(x, { w1, b1, w2, b2 }) {
      const inner = linear(x, w1, b1);
      return linear(drop(activation === "gelu" ? gelu(inner) : tf.relu(inner)), w2, b2);
    },
    attentionDropout() {
      if (rate === 0) return { training };
      return { dropout: { rate, seed: derivedSeed(seed, OF_WEIGHTS, attentions++) }, training };
    },
  };
}

/** Throws unless x is [B, T, C] and a sublayer's parameters keep its width. */
export function checkBlock(
  op: string,
  x: tf.Tensor3D,
  attentions: Record<string, MultiHeadParameters>,
  { w1, w2 }: FeedForwardParameters,
): void {
  if (x.rank !== 3)
    throw new ShapeError("RANK", wrongRank({ op, name: "x [B, T, C]", rank: "3", shape: x.shape }));
  const C = x.shape[2];
  for (const [name, { wq, wo }] of Object.entries(attentions)) {
    checkWidth(op, `${name}.wq [C, H, D]`, wq.shape, 0, C);
    const out = wo?.shape ?? [wq.shape[1], wq.shape[2], wq.shape[1] * wq.shape[2]];
    checkWidth(op, `${name}.wo [H, Dv, C]`, out, 2, C);
  }
  checkWidth(op, "w1 [C, F]", w1.shape, 0, C);
  checkWidth(op, "w2 [F, C]", w2.shape, 1, C);
  if (w1.shape[1] !== w2.shape[0]) {
    const names = { letter: "F", a: "w1 [C, F]", b: "w2 [F, C]" };
    throw new ShapeError("DIMENSION", unequal({ op, ...names, aShape: w1.shape, bShape: w2.shape }));
  }
}

function checkWidth(op: string, name: string, shape: readonly number[], axis: number, C: number): void {
  if (shape[axis] === C) return;
  throw new ShapeError("SHAPE", {
    op,
    rule: `${name} must keep the width C=${C} of x`,
    got: `shape [${shape.join(", ")}]`,
    remedy: "what a sublayer computes is added to x",
  });
}
