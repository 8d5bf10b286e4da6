/** What Keras' MultiHeadAttention and GroupQueryAttention share: all but the names of their sizes. */
import * as tf from "@tensorflow/tfjs-core";
import { type MultiHeadParameters, multiHeadAttention } from "../../attention/sequence/multi-head.ts";
import type { MaskMod, ScoreMod } from "../../core/expression/trace.ts";
import { isObject } from "../../core/is-object.ts";
import { linear } from "../../ops/linear.ts";
import { type HeadWeights, headWeights, outputWeights, projectionFields } from "../base/heads.ts";
import {
  byDefault,
  type FieldValues,
  flag,
  integer,
  type Kind,
  type LayerCall,
  type LayerInput,
  MechanismLayer,
  optional,
  ours,
  rate,
  type Shape,
  type Sizes,
  unsaved,
  type WeightTable,
  zeroHidden,
} from "../base/index.ts";
import {
  type Axes,
  axesOf,
  checkOrder,
  checkSizesBeside,
  pairMask,
  positionMask,
  restored,
  scoresShape,
  sequenceOf,
} from "./attention-axes.ts";
import { ATTENTION_WEIGHTS, namedWeights, PROJECTION_WEIGHTS, readWeights } from "./attention-weights.ts";

const nothing: Kind<unknown, null> = {
  rule: "left out, since TensorFlow.js has no regularizers of activity",
  read: () => undefined,
  write: () => null,
};

const isFunction = (given: unknown): boolean => typeof given === "function";

export const projectedFields = {
  /** Share of weights dropped in training; it costs no other path. @default 0 */
  dropout: byDefault(rate(), 0),
  /** Query i sees key j where |i − j| < slidingWindow. @default none */
  slidingWindow: optional(integer(1)),
  /** Accepted for Keras' sake: attention is always fused here, with dropout and weights too. @default none */
  flashAttention: ours(optional(flag())),
  ...projectionFields,
  activityRegularizer: optional(nothing),
  /** Multiplies the heads by σ(query·W + b) before the output's projection. @default false */
  useGate: byDefault(flag(), false),
  /** Changes each score, as of `attention`: (score, { b, h, q, k }, tensors) => …; such a layer cannot be saved. @default none */
  scoreMod: unsaved<ScoreMod>("a function", isFunction),
  /** Where a query may attend to a key, as of `attention`: ({ b, h, q, k }, tensors) => …; such a layer cannot be saved. @default none */
  maskMod: unsaved<MaskMod>("a function", isFunction),
  /** What the two read, by name. Variables among them learn with an optimiser that is given them. @default none */
  tensors: unsaved<Readonly<Record<string, tf.Tensor>>>("an object of tensors", isObject),
  /** Position i sees positions up to i; an option of the call too, as in Keras, which has no such field. @default false */
  useCausalMask: ours(byDefault(flag(), false)),
  /** Returns [output, weights [B, H, T, S]]; an option of the call too, as in Keras, which has no such field. @default false */
  returnAttentionScores: ours(byDefault(flag(), false)),
};
type Config = FieldValues<typeof projectedFields>;

const projectedInputs: readonly LayerInput[] = [
  { name: "query", letters: "[B, …, C]" },
  { name: "value", letters: "[B, …, Cv]", optional: true },
  { name: "key", letters: "[B, …, Ck]", optional: true },
  { name: "attentionMask", letters: "[…]", optional: true },
];
const projectedCall = {
  inputs: ["query", "value", "key", "attentionMask"],
  fields: ["useCausalMask", "returnAttentionScores"],
} as const;
/** Options of a call that are tensors. */
const MASKS = ["attentionMask", "queryMask", "valueMask", "keyMask"] as const;
const projectedOptions = [...projectedCall.fields, ...MASKS];

/** Sizes of a layer, in the one notation. */
export interface Heads {
  readonly H: number;
  readonly Hkv: number;
  readonly D: number;
  readonly Dv: number;
  /** @default [C] */
  readonly outputShape?: readonly number[] | undefined;
  /** @default all but the first and the last */
  readonly attentionAxes?: readonly number[] | undefined;
}

/** Keras' layer, but for the names of its sizes. */
export abstract class ProjectedLayer<F extends typeof projectedFields> extends MechanismLayer<F> {
  static readonly kerasCall = projectedCall;
  static readonly inputs = projectedInputs;
  static readonly callOptions = projectedOptions;

  protected abstract get heads(): Heads;

  // Types of single fields are lost in F.
  get #shared(): Config {
    return this.config as unknown as Config;
  }

  /** Weights in Keras' order, by Keras' names. */
  protected override parameters({ C, Cv = C!, Ck = Cv }: Sizes): WeightTable<F> {
    const { H, Hkv, D, Dv, outputShape = [C!] } = this.heads;
    const { useBias, useGate } = this.#shared;
    const table: HeadWeights = {
      ...headWeights("query", [C!, H, D], useBias),
      ...headWeights("key", [Ck, Hkv, D], useBias),
      ...(useGate && headWeights("gate", [C!, H, Dv], useBias)),
      ...headWeights("value", [Cv, Hkv, Dv], useBias),
      ...outputWeights([H, Dv, ...outputShape], useBias),
    };
    return table as WeightTable<F>;
  }

  protected override shapeOf([query, value = query]: readonly Shape[]): Shape | Shape[] {
    const { H, outputShape = query!.slice(-1), attentionAxes } = this.heads;
    const output = [...query!.slice(0, -1), ...outputShape];
    const axes = axesOf(this.op, attentionAxes, query!.length);
    return this.#shared.returnAttentionScores ? [output, scoresShape(H, axes, query!, value!)] : output;
  }

  /**
   * Sets the weights to these parameters, such as `fromTorchInProj` reads, which stay the caller's.
   *
   * @throws OptionError NOT_READY · ShapeError SHAPE when they are not this layer's
   */
  setParameters(parameters: MultiHeadParameters): void {
    this.setNamed(namedWeights(parameters, ATTENTION_WEIGHTS));
  }

  protected override compute(inputs: tf.Tensor[], call: LayerCall): tf.Tensor | tf.Tensor[] {
    const [query, value = query, key = value] = inputs as [tf.Tensor, tf.Tensor?, tf.Tensor?];
    const { H, outputShape, attentionAxes } = this.heads;
    const { useCausalMask, returnAttentionScores, slidingWindow, dropout, useGate } = {
      ...this.#shared,
      ...call.kwargs,
    };
    const { scoreMod, maskMod, tensors } = this.#shared;
    const axes = axesOf(this.op, attentionAxes, query.rank);
    checkSizesBeside(this.op, axes, [query, value, key]);
    if (useCausalMask || slidingWindow) checkOrder(this.op, axes);
    const masks = masksOf(inputs, call);
    const present = positionMask(this.op, "query [B, T, C]", masks.query, query.shape, axes);
    // Queries that are not there may hold anything; as zeros nothing of it reaches the gradients of other rows.
    const asking = zeroHidden(sequenceOf(query, axes), present);
    const visible = this.#keysSeen(masks, axes, query, key);
    const { output: rows, weights } = multiHeadAttention(
      { query: asking, value: sequenceOf(value, axes), key: sequenceOf(key, axes) },
      readWeights<MultiHeadParameters>((name) => this.weightIf(name), PROJECTION_WEIGHTS),
      {
        ...(visible && { allow: visible }),
        ...(useCausalMask && { causal: "topLeft" }),
        ...(slidingWindow && {
          window: { left: slidingWindow - 1, right: slidingWindow - 1 },
          queryOffset: 0,
        }),
        ...(scoreMod && { scoreMod }),
        ...(maskMod && { maskMod }),
        ...(tensors && { tensors }),
        dropout: { rate: dropout, seed: call.seed },
        training: call.training,
        weights: returnAttentionScores,
      },
      this.op,
    );
    const gated = useGate
      ? tf.mul<tf.Tensor3D>(rows, tf.sigmoid(linear(asking, ...this.#matrix("gate", rows.shape[2]))))
      : rows;
    const joined = linear(zeroHidden(gated, present), ...this.#matrix("attention_output"));
    const output = restored(joined, query.shape, axes, outputShape);
    if (!returnAttentionScores) return output;
    const asked = present && tf.reshape(present, [present.shape[0]!, 1, present.shape[1]!, 1]);
    const shown = asked ? tf.where(asked, weights!, 0) : weights!;
    return [output, tf.reshape(shown, scoresShape(H, axes, query.shape, key.shape) as number[])];
  }

  /** A projection as a matrix of this many columns, and its bias. @default columns those of the output */
  #matrix(name: string, columns?: number) {
    const { H, Dv } = this.heads;
    const w = this.weight(`${name}/kernel`);
    const width = columns ?? w.size / (H * Dv);
    const b = this.weightIf(`${name}/bias`);
    return [tf.reshape<tf.Rank.R2>(w, [-1, width]), b && tf.reshape<tf.Rank.R1>(b, [width])] as const;
  }

  /** Where a key may be seen: the masks of keys and values, and the attention mask, broadcastable to [B, H, T, S]. */
  #keysSeen(masks: Masks, axes: Axes, query: tf.Tensor, key: tf.Tensor): tf.Tensor | undefined {
    const seen = [
      positionMask(this.op, "value [B, S, Cv]", masks.value, key.shape, axes),
      positionMask(this.op, "key [B, S, Ck]", masks.key, key.shape, axes),
    ].flatMap((mask) => (mask ? [tf.reshape(mask, [mask.shape[0]!, 1, 1, mask.shape[1]!])] : []));
    if (masks.attention) seen.push(pairMask(this.op, masks.attention, { H: this.heads.H, axes, query, key }));
    return seen.length > 0 ? seen.reduce((a, b) => tf.logicalAnd(a, b)) : undefined;
  }
}

type Masks = Readonly<Record<"attention" | "query" | "value" | "key", tf.Tensor | undefined>>;

/** The masks of a call, as its options, its inputs' or an input. */
function masksOf(inputs: readonly tf.Tensor[], { masks, kwargs }: LayerCall): Masks {
  const options = kwargs as { [name in (typeof MASKS)[number]]?: tf.Tensor };
  const [query, value = inputs.length < 2 ? query : undefined, key] = masks;
  return {
    attention: options.attentionMask ?? inputs[3],
    query: options.queryMask ?? query,
    value: options.valueMask ?? value,
    key: options.keyMask ?? key,
  };
}
