/** What Keras' MultiHeadAttention and GroupQueryAttention share: all but the names of their sizes. */
import * as tf from "@tensorflow/tfjs-core";
import { type MultiHeadParameters, multiHeadAttention } from "../../attention/sequence/multi-head.ts";
import { ShapeError } from "../../core/errors.ts";
import { linear } from "../../ops/linear.ts";
import {
  type HeadWeights,
  headWeights,
  outputWeights,
  projectionFields,
  type Weights,
} from "../base/heads.ts";
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
  type WeightTable,
  zeroHidden,
} from "../base/index.ts";
import {
  type Axes,
  axesOf,
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

/** Weights in Keras' order, by Keras' names. */
function projectionWeights(
  { H, Hkv, D, Dv, outputShape }: Heads,
  { useBias, useGate }: Config,
  { C, Cv = C!, Ck = Cv }: Sizes,
): HeadWeights {
  return {
    ...headWeights("query", [C!, H, D], useBias),
    ...headWeights("key", [Ck, Hkv, D], useBias),
    ...(useGate && headWeights("gate", [C!, H, Dv], useBias)),
    ...headWeights("value", [Cv, Hkv, Dv], useBias),
    ...outputWeights([H, Dv, ...(outputShape ?? [C!])], useBias),
  };
}

/** Keras' layer, but for the names of its sizes. */
export abstract class ProjectedLayer<F extends typeof projectedFields> extends MechanismLayer<F> {
  static readonly kerasCall = projectedCall;
  static readonly inputs = projectedInputs;
  static readonly callOptions = projectedOptions;

  protected abstract get heads(): Heads;

  get #shared(): Config {
    return this.config as unknown as Config;
  }

  protected override parameters(sizes: Sizes): WeightTable<F> {
    return projectionWeights(this.heads, this.#shared, sizes) as WeightTable<F>;
  }

  protected override shapeOf(shapes: readonly Shape[]): Shape | Shape[] {
    return projectedShape(this.op, this.heads, shapes, this.#shared.returnAttentionScores);
  }

  protected override compute(inputs: tf.Tensor[], call: LayerCall): tf.Tensor | tf.Tensor[] {
    return projectedAttention(this.op, this.heads, this.#shared, (name) => this.weightIf(name), inputs, call);
  }

  /**
   * Sets the weights to these parameters, such as `fromTorchInProj` reads, which stay the caller's.
   *
   * @throws OptionError NOT_READY · ShapeError SHAPE when they are not this layer's
   */
  setParameters(parameters: MultiHeadParameters): void {
    this.setNamed(namedWeights(parameters, ATTENTION_WEIGHTS));
  }
}

function projectedShape(
  op: string,
  heads: Heads,
  [query, value = query]: readonly Shape[],
  scores: boolean,
): Shape | Shape[] {
  const output = [...query!.slice(0, -1), ...(heads.outputShape ?? query!.slice(-1))];
  const axes = axesOf(op, heads.attentionAxes, query!.length);
  return scores ? [output, scoresShape(heads.H, axes, query!, value!)] : output;
}

/** Keras' call. */
function projectedAttention(
  op: string,
  heads: Heads,
  config: Config,
  weight: Weights,
  inputs: readonly tf.Tensor[],
  call: LayerCall,
): tf.Tensor | tf.Tensor[] {
  const [query, value = query, key = value, given] = inputs as [tf.Tensor, ...(tf.Tensor | undefined)[]];
  const { useCausalMask, returnAttentionScores } = { ...config, ...call.kwargs };
  const options = call.kwargs as { [name in (typeof MASKS)[number]]?: tf.Tensor };
  const [queryMask, valueMask = inputs.length < 2 ? queryMask : undefined, keyMask] = call.masks;
  const masks = {
    attention: options.attentionMask ?? given,
    query: options.queryMask ?? queryMask,
    value: options.valueMask ?? valueMask,
    key: options.keyMask ?? keyMask,
  };
  const { slidingWindow } = config;
  const axes = axesOf(op, heads.attentionAxes, query.rank);
  checkSizesBeside(op, axes, [query, value, key]);
  if ((useCausalMask || slidingWindow) && axes.over.length > 1) {
    throw new ShapeError("SHAPE", {
      op,
      rule: "attention must run over one axis where there is useCausalMask or slidingWindow, which order its positions",
      got: `axes ${axes.over.join(", ")}`,
      remedy: "choose one with attentionAxes",
    });
  }
  const [q, v, k] = [query, value, key].map((x) => sequenceOf(x, axes)) as [
    tf.Tensor3D,
    tf.Tensor3D,
    tf.Tensor3D,
  ];
  const present = positionMask(op, "query [B, T, C]", masks.query, query.shape, axes);
  // Queries that are not there may hold anything; as zeros nothing of it reaches the gradients of other rows.
  const asking = zeroHidden(q, present);
  const visible = keysSeen(op, masks, { heads, axes, query, key });
  const { output: rows, weights } = multiHeadAttention(
    { query: asking, value: v, key: k },
    readWeights<MultiHeadParameters>(weight, PROJECTION_WEIGHTS),
    {
      ...(visible && { allow: visible }),
      ...(useCausalMask && { causal: "topLeft" }),
      ...(slidingWindow && { window: { left: slidingWindow - 1, right: slidingWindow - 1 }, queryOffset: 0 }),
      dropout: { rate: config.dropout, seed: call.seed },
      training: call.training,
      weights: returnAttentionScores,
    },
    op,
  );
  const width = heads.H * heads.Dv;
  const matrix = (name: string) => {
    const w = weight(`${name}/kernel`)!;
    const columns = name === "gate" ? width : w.size / width;
    const b = weight(`${name}/bias`);
    return [tf.reshape<tf.Rank.R2>(w, [-1, columns]), b && tf.reshape<tf.Rank.R1>(b, [columns])] as const;
  };
  const gated = config.useGate
    ? tf.mul<tf.Tensor3D>(rows, tf.sigmoid(linear(asking, ...matrix("gate"))))
    : rows;
  const seen = zeroHidden(gated, present);
  const output = restored(linear(seen, ...matrix("attention_output")), query.shape, axes, heads.outputShape);
  if (!returnAttentionScores) return output;
  const asked = present && tf.reshape(present, [present.shape[0]!, 1, present.shape[1]!, 1]);
  const shown = asked ? tf.where(asked, weights!, 0) : weights!;
  return [output, tf.reshape(shown, scoresShape(heads.H, axes, query.shape, key.shape) as number[])];
}

/** Where a key may be seen: the masks of keys and values, and the attention mask, broadcastable to [B, H, T, S]. */
function keysSeen(
  op: string,
  masks: { attention?: tf.Tensor; value?: tf.Tensor | undefined; key?: tf.Tensor | undefined },
  { heads, axes, query, key }: { heads: Heads; axes: Axes; query: tf.Tensor; key: tf.Tensor },
): tf.Tensor | undefined {
  const seen = [
    positionMask(op, "value [B, S, Cv]", masks.value, key.shape, axes),
    positionMask(op, "key [B, S, Ck]", masks.key, key.shape, axes),
  ].flatMap((mask) => (mask ? [tf.reshape(mask, [mask.shape[0]!, 1, 1, mask.shape[1]!])] : []));
  if (masks.attention) seen.push(pairMask(op, masks.attention, { H: heads.H, axes, query, key }));
  return seen.length > 0 ? seen.reduce((a, b) => tf.logicalAnd(a, b)) : undefined;
}
