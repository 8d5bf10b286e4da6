import * as tf from "@tensorflow/tfjs-core";
import type { PaddedBatch } from "../../../data/batching.ts";
import { START } from "../../../data/bpe.ts";
import type { TransformerConfig } from "../../../models/transformer/config.ts";
import type { Transformer } from "../../../models/transformer/transformer.ts";
import { softmaxCrossEntropy } from "../../../ops/softmax-cross-entropy.ts";
import { tidy } from "../../../ops/tidy.ts";
import type { PairShard } from "../../pair-batches.ts";
import type { ModelSizes } from "./recipe.ts";

/** The Transformer of the paper with norms before its sublayers, which trains without care about its first steps. */
export function modelConfig(sizes: ModelSizes, vocabulary: number): TransformerConfig {
  return {
    ...sizes,
    vocabulary,
    norm: "layer",
    epsilon: 1e-5,
    preNorm: true,
    activation: "relu",
    attentionBias: true,
    innerBias: true,
    positions: { kind: "sinusoidal", order: "interleaved" },
    embeddingScale: Math.sqrt(sizes.width),
    head: { tied: true, bias: true },
  };
}

/**
 * Cross-entropy of the targets among the pieces of their language, in nats: summed over the batch, divided by `pieces`.
 *
 * @param outputs pieces of the batch's target language, ascending
 */
export function translationLoss(
  model: Transformer,
  outputs: Int32Array,
  { source, target, pieces, dropoutSeed }: Omit<PairShard, "corpus">,
  { smoothing = 0 }: { smoothing?: number } = {},
): tf.Scalar {
  const { rows: B, width: T } = target;
  return tidy(() => {
    const sources = tf.tensor2d(source.ids, [B, source.width], "int32");
    const memory = model.encode({ tokens: sources, lengths: source.lengths }, { dropoutSeed });
    const states = model.decode(
      { tokens: tf.tensor2d(shifted(target), [B, T], "int32"), lengths: target.lengths },
      {
        memory,
        memoryLengths: source.lengths,
        dropoutSeed: dropoutSeed + 1,
      },
    );
    const rows = model.headRows(tf.tensor1d(outputs, "int32"));
    const logits = model.logits(tf.reshape(states, [B * T, -1]) as tf.Tensor2D, rows);
    const labels = tf.tensor1d(labelsOf(target, outputs), "int32");
    return tf.div<tf.Scalar>(tf.sum(softmaxCrossEntropy(logits, labels, { smoothing })), pieces);
  });
}

/** What a decoder reads to write a target: START, then the target without its last piece. */
function shifted({ ids, rows, width }: PaddedBatch): Int32Array {
  const before = new Int32Array(ids.length);
  for (let b = 0; b < rows; b++) {
    before[b * width] = START;
    before.set(ids.subarray(b * width, (b + 1) * width - 1), b * width + 1);
  }
  return before;
}

/** Where each piece stands among the outputs; −1 for padding. */
function labelsOf({ ids, lengths, rows, width }: PaddedBatch, outputs: Int32Array): Int32Array {
  const places = new Map(Array.from(outputs, (id, place) => [id, place]));
  const labels = new Int32Array(ids.length).fill(-1);
  for (let b = 0; b < rows; b++)
    for (let t = 0; t < lengths[b]!; t++) labels[b * width + t] = places.get(ids[b * width + t]!) ?? -1;
  return labels;
}
