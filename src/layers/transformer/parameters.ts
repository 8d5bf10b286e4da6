/** What the two layers share: fields, and the weights of a block by name. */
import type * as tf from "@tensorflow/tfjs-core";
import type {
  TransformerDecoderParameters,
  TransformerEncoderParameters,
} from "../../attention/transformer/index.ts";
import { OptionError } from "../../core/errors.ts";
import { headWeights, projectionFields } from "../base/heads.ts";
import {
  byDefault,
  choice,
  type FieldValues,
  flag,
  integer,
  ours,
  positive,
  rate,
  required,
  type WeightTable,
} from "../base/index.ts";
import { ATTENTION_WEIGHTS, namedWeights, readWeights } from "../sequence/attention-weights.ts";

export const transformerFields = {
  /** H, PyTorch's nhead; it divides the width of x. */
  numHeads: required(integer(1)),
  /** F, the width between the feed-forward maps; PyTorch's dim_feedforward. */
  intermediateDim: required(integer(1)),
  /** Share dropped of attention's weights, between the feed-forward maps and of what each sublayer adds. @default 0 */
  dropout: byDefault(rate(), 0),
  /** Between the feed-forward maps; gelu is the exact one. @default "relu" */
  activation: byDefault(choice("relu", "gelu"), "relu"),
  /** ε of the norms. @default 1e-5 */
  layerNormEpsilon: byDefault(positive(), 1e-5),
  /** Normalises what goes into a sublayer, PyTorch's norm_first. @default false */
  normalizeFirst: byDefault(flag(), false),
  /** Begins with sublayers that add 0, which makes deep stacks easier to train. @default false */
  zeroResiduals: byDefault(flag(), false),
  ...projectionFields,
  /** Biases of all maps and norms, PyTorch's bias. @default true */
  useBias: projectionFields.useBias,
  /** Returns the weights too; an option of the call as well. @default false */
  returnAttentionScores: ours(byDefault(flag(), false)),
};
type Fields = typeof transformerFields;

/** Those of layers that drop nothing and return no weights. */
const { dropout: _, returnAttentionScores: __, ...plain } = transformerFields;
export const plainBlockFields = plain;

const NORM = { gamma: "gamma", beta: "beta" };
const FEED_FORWARD = {
  w1: "intermediate/kernel",
  b1: "intermediate/bias",
  w2: "output/kernel",
  b2: "output/bias",
} as const;
/** The parts of a block's parameters: their names in a file, and the names within. */
const PARTS = {
  selfAttention: ["self_attention", ATTENTION_WEIGHTS],
  selfNorm: ["self_attention_layer_norm", NORM],
  crossAttention: ["cross_attention", ATTENTION_WEIGHTS],
  crossNorm: ["cross_attention_layer_norm", NORM],
  feedForward: ["feedforward", FEED_FORWARD],
  feedForwardNorm: ["feedforward_layer_norm", NORM],
} as const;
export type Part = keyof typeof PARTS;

/** The parameters of these parts, of weights by name. */
export function readParameters(
  parts: readonly Part[],
  weight: (name: string) => tf.Tensor | undefined,
): TransformerDecoderParameters {
  const read = parts.map((part) => {
    const [prefix, names] = PARTS[part];
    return [part, readWeights(weight, names, `${prefix}/`)] as const;
  });
  return Object.fromEntries(read) as unknown as TransformerDecoderParameters;
}

/** The other way round: weights by name, of parameters. */
export function namedParameters(
  parameters: TransformerEncoderParameters | TransformerDecoderParameters,
): Map<string, tf.Tensor> {
  return new Map(
    Object.entries(parameters).flatMap(([part, tensors]) => {
      const [prefix, names] = PARTS[part as Part];
      return [...namedWeights(tensors, names)].map(
        ([name, tensor]) => [`${prefix}/${name}`, tensor] as const,
      );
    }),
  );
}

/** The weights of a block over x of width C and a memory of width Cm. */
export function blockWeights(
  op: string,
  parts: readonly Part[],
  {
    numHeads: H,
    intermediateDim: F,
    useBias,
    zeroResiduals,
  }: Pick<FieldValues<Fields>, "numHeads" | "intermediateDim" | "useBias" | "zeroResiduals">,
  { C, Cm }: { C: number; Cm: number },
): WeightTable<Fields> {
  if (C % H !== 0) {
    throw new OptionError("OPTION", {
      op,
      rule: `numHeads must be a divisor of the width C=${C} of x`,
      got: H,
      remedy: "every head reads C/numHeads of it",
      name: "numHeads",
      C,
    });
  }
  const D = C / H;
  const adds = zeroResiduals ? { initializer: "zeros" } : {};
  const bias = (shape: number[]) => useBias && ({ shape, kind: "bias" } as const);
  const table: Record<string, WeightTable<Fields>[string]> = {};
  for (const part of parts) {
    const [prefix] = PARTS[part];
    if (part === "feedForward") {
      table[`${prefix}/${FEED_FORWARD.w1}`] = { shape: [C, F], kind: "kernel" };
      table[`${prefix}/${FEED_FORWARD.b1}`] = bias([F]);
      table[`${prefix}/${FEED_FORWARD.w2}`] = { shape: [F, C], kind: "kernel", ...adds };
      table[`${prefix}/${FEED_FORWARD.b2}`] = bias([C]);
    } else if (part === "selfAttention" || part === "crossAttention") {
      const from = part === "selfAttention" ? C : Cm;
      for (const [name, width] of [
        ["query", C],
        ["key", from],
        ["value", from],
      ] as const) {
        Object.assign(table, headWeights(`${prefix}/${name}`, [width, H, D], useBias));
      }
      table[`${prefix}/${ATTENTION_WEIGHTS.wo}`] = {
        shape: [H, D, C],
        kind: "kernel",
        matrix: [C, C],
        ...adds,
      };
      table[`${prefix}/${ATTENTION_WEIGHTS.bo}`] = bias([C]);
    } else {
      table[`${prefix}/${NORM.gamma}`] = { shape: [C], initializer: "ones" };
      table[`${prefix}/${NORM.beta}`] = useBias && { shape: [C], initializer: "zeros" };
    }
  }
  return table;
}
