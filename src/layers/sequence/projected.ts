/** What Keras' MultiHeadAttention and GroupQueryAttention share: all but the names of their sizes. */
import * as tf from "@tensorflow/tfjs-core";
import { type MultiHeadParameters, multiHeadAttention } from "../../attention/sequence/multi-head.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { linear } from "../../ops/linear.ts";
import {
  type HeadWeights,
  headWeights,
  outputWeights,
  projectionFields,
  type Weights,
} from "../base/heads.ts";
import {
  boolMask,
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
import { ATTENTION_WEIGHTS, namedWeights } from "./attention-weights.ts";

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
  /** Position i sees positions up to i; an option of the call too. Not Keras': there it is of the call alone. @default false */
  useCausalMask: ours(byDefault(flag(), false)),
  /** Returns [output, weights [B, H, T, S]]; an option of the call too. Not Keras' either. @default false */
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

const product = (sizes: readonly number[]) => sizes.reduce((all, n) => all * n, 1);

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

/** The axes that attention runs over, counted from the front, and the others before the last. */
function axesOf(op: string, { attentionAxes }: Heads, rank: number) {
  if (rank < 3) {
    throw new ShapeError("SHAPE", {
      op,
      rule: "query [B, …, C] must have rank 3 or more",
      got: `rank ${rank}`,
      remedy: "reshape it first",
    });
  }
  const inner = Array.from({ length: rank - 2 }, (_, n) => n + 1);
  const over = attentionAxes?.map((axis) => (axis < 0 ? axis + rank : axis)) ?? inner;
  if (over.length === 0 || over.some((axis) => !inner.includes(axis)) || new Set(over).size < over.length) {
    const rule = `different axes between the first and the last of an input of rank ${rank}`;
    throw new OptionError("OPTION", {
      op,
      rule: `attentionAxes must be ${rule}`,
      got: attentionAxes ?? "none",
      remedy: "choose one in that range or leave it out",
      name: "attentionAxes",
    });
  }
  return { over, beside: [0, ...inner.filter((axis) => !over.includes(axis))] };
}

function projectedShape(
  op: string,
  heads: Heads,
  [query, value = query]: readonly Shape[],
  scores: boolean,
): Shape | Shape[] {
  const output = [...query!.slice(0, -1), ...(heads.outputShape ?? query!.slice(-1))];
  const { over, beside } = axesOf(op, heads, query!.length);
  const at = (shape: Shape, axes: number[]) => axes.map((axis) => shape[axis] ?? null);
  return scores
    ? [output, [...at(query!, beside), heads.H, ...at(query!, over), ...at(value!, over)]]
    : output;
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
  const isSequence = query.rank === 3;
  const { slidingWindow } = config;
  if (!isSequence && (useCausalMask || slidingWindow || Object.values(masks).some(Boolean))) {
    throw new ShapeError("SHAPE", {
      op,
      rule: "inputs must be sequences [B, T, C] where there is a mask, useCausalMask or slidingWindow",
      got: `query of shape [${query.shape.join(", ")}]`,
      remedy: "reshape it to a sequence, or leave masks out",
    });
  }
  const flat = flattener(op, heads, [query, value, key] as tf.Tensor[]);
  const [q, v, k] = flat.inputs;
  const [B, T, S] = [q!.shape[0], q!.shape[1], k!.shape[1]];
  const present = boolMask(op, "the mask of query [B, T, C]", masks.query, [B, T]);
  // Queries that are not there may hold anything; as zeros nothing of it reaches the gradients of other rows.
  const asking = zeroHidden(q!, present);
  const visible = keysSeen(op, masks, [B, T, S]);
  const { output: rows, weights } = multiHeadAttention(
    { query: asking, value: v!, key: k! },
    {
      ...{ wq: weight("query/kernel") as tf.Tensor3D, bq: weight("query/bias") as tf.Tensor2D },
      ...{ wk: weight("key/kernel") as tf.Tensor3D, bk: weight("key/bias") as tf.Tensor2D },
      ...{ wv: weight("value/kernel") as tf.Tensor3D, bv: weight("value/bias") as tf.Tensor2D },
    },
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
  const output = flat.restore(linear(seen, ...matrix("attention_output")), heads.outputShape);
  if (!returnAttentionScores) return output;
  const shown = present ? tf.where(tf.reshape(present, [B, 1, T, 1]), weights!, 0) : weights!;
  return [output, tf.reshape(shown, flat.scoresShape)];
}

/** Where a key may be seen: the masks of keys and values, and the attention mask, broadcastable to [B, H, T, S]. */
function keysSeen(
  op: string,
  masks: { attention?: tf.Tensor; value?: tf.Tensor | undefined; key?: tf.Tensor | undefined },
  [B, T, S]: [number, number, number],
): tf.Tensor | undefined {
  const keys = [
    boolMask(op, "the mask of value [B, S, Cv]", masks.value, [B, S]),
    boolMask(op, "the mask of key [B, S, Ck]", masks.key, [B, S]),
  ].flatMap((mask) => (mask ? [tf.reshape(mask, [mask.shape[0]!, 1, 1, mask.shape[1]!])] : []));
  const { attention } = masks;
  if (attention) {
    const bool = attention.dtype === "bool" ? attention : tf.cast(attention, "bool");
    if (bool.rank === 3)
      keys.push(tf.expandDims(boolMask(op, "attentionMask [B, T, S]", bool, [B, T, S])!, 1));
    else
      keys.push(
        bool.rank === 2
          ? tf.reshape(bool, [1, 1, ...(bool.shape as [number, number])])
          : (bool as tf.Tensor4D),
      );
  }
  return keys.length > 0 ? keys.reduce((a, b) => tf.logicalAnd(a, b)) : undefined;
}

/** Inputs of any rank as sequences [B, T, C], and the way back. */
function flattener(op: string, heads: Heads, given: readonly tf.Tensor[]) {
  const [query, , key] = given as [tf.Tensor, tf.Tensor, tf.Tensor];
  const { over, beside } = axesOf(op, heads, query.rank);
  const at = (x: tf.Tensor, axes: number[]) => axes.map((axis) => x.shape[axis]!);
  const wrong = given.find(
    (x) => x.rank !== query.rank || String(at(x, beside)) !== String(at(query, beside)),
  );
  if (wrong) {
    throw new ShapeError("SHAPE", {
      op,
      rule: "value and key must have the rank of query and its sizes beside attentionAxes",
      got: `shapes ${given.map(({ shape }) => `[${shape.join(", ")}]`).join(", ")} of query, value and key`,
      remedy: `give them the same sizes along ${beside.join(", ")}`,
    });
  }
  const order = [...beside, ...over, query.rank - 1];
  const isOrdered = order.every((axis, n) => axis === n);
  const isFlat = query.rank === 3;
  const inputs = given.map((x) => {
    const ordered = isOrdered ? x : tf.transpose(x, order);
    const shape = [product(at(x, beside)), product(at(x, over)), x.shape.at(-1)!] as const;
    return isFlat ? (x as tf.Tensor3D) : tf.reshape<tf.Rank.R3>(ordered, [...shape]);
  });
  return {
    inputs,
    scoresShape: [...at(query, beside), heads.H, ...at(query, over), ...at(key, over)],
    restore(x: tf.Tensor3D, outputShape: readonly number[] | undefined): tf.Tensor {
      const last = outputShape ?? [x.shape[2]];
      if (isFlat && last.length === 1) return x;
      const shaped = tf.reshape(x, [...at(query, beside), ...at(query, over), ...last]);
      if (isOrdered) return shaped;
      const back = order.slice(0, -1).map((_, axis) => order.indexOf(axis));
      return tf.transpose(shaped, [...back, ...last.map((_, n) => query.rank - 1 + n)]);
    },
  };
}
