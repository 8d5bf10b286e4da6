import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { makeBatches, padBatch, type TokenPair } from "../../src/data/batching.ts";
import { PAD, START } from "../../src/data/bpe.ts";
import { makePackedBatches, type PackedBatch, packBatch } from "../../src/data/packing.ts";
import { Transformer, tokenLoss, vaswani } from "../../src/models/transformer/index.ts";
import { Adam } from "../../src/train/adam.ts";
import { namedGradients } from "../../src/train/named-gradients.ts";
import type { Metrics } from "../claim.ts";
import { prepare } from "../descend.ts";
import { medianOf } from "../statistics.ts";
import { clock } from "../time/clock.ts";
import { FIRST_WORD } from "../toy/batch.ts";

export interface ThroughputSizes {
  /** Sentences of the corpus that batches are made of. */
  pairs: number;
  /** Tokens that each way trains on in a round, the first batches of its epoch. */
  tokens: number;
  rounds: number;
  width: number;
  layers: number;
  vocabulary: number;
  /** Cells of a batch, sources and targets, padding included. */
  maxTokens: number;
}

const SIZES: ThroughputSizes = {
  pairs: 8192,
  tokens: 8000,
  rounds: 5,
  width: 128,
  layers: 2,
  vocabulary: 2048,
  maxTokens: 2048,
};
/** Places of a packed row, which are the most that a sentence has. */
const ROW = 64;
const WAYS = ["padded", "bucketed", "packed"] as const;
type Way = (typeof WAYS)[number];

/**
 * Made-up sentences, as long as those of a translation corpus: the logarithm of a source's length is normal, 13 words by the
 * middle one, and a target is a tenth longer or so.
 */
export function drawSentences({ pairs, vocabulary }: ThroughputSizes): TokenPair[] {
  const random = new RandomStream(1);
  const clip = (n: number) => Math.max(3, Math.min(ROW, Math.round(n)));
  const words = (n: number) =>
    Array.from({ length: n }, () => FIRST_WORD + random.integer(vocabulary - FIRST_WORD));
  return Array.from({ length: pairs }, () => {
    const length = clip(Math.exp(Math.log(13) + 0.6 * random.normal()));
    return { source: words(length), target: words(clip(length * Math.exp(0.1 + 0.2 * random.normal()))) };
  });
}

/** One side of a batch, and what a token sees of it. */
interface Side {
  readonly ids: Int32Array;
  readonly shape: [rows: number, width: number];
  readonly lengths?: Int32Array;
  readonly segments?: PackedBatch["segments"];
  readonly isFirst: (place: number) => boolean;
}

interface Batch {
  readonly source: Side;
  readonly target: Side;
}

const sides = ({ source, target }: Batch) => [source, target];
const cellsOf = (batches: readonly Batch[]) =>
  batches.flatMap(sides).reduce((sum, { ids }) => sum + ids.length, 0);
const tokensOf = (batches: readonly Batch[]) =>
  batches.flatMap(sides).reduce((sum, { ids }) => sum + ids.reduce((n, id) => n + Number(id !== PAD), 0), 0);

/** The first batches, until they have so many tokens. */
function firstOf(batches: readonly Batch[], tokens: number): Batch[] {
  const chosen: Batch[] = [];
  for (const batch of batches) {
    if (tokensOf(chosen) >= tokens) break;
    chosen.push(batch);
  }
  return chosen;
}

function padded(pairs: readonly TokenPair[], side: keyof TokenPair): Side {
  const { ids, lengths, rows, width } = padBatch(pairs.map((pair) => pair[side]));
  return { ids, lengths, shape: [rows, width], isFirst: (place) => place % width === 0 };
}

function packed(pairs: readonly TokenPair[], side: keyof TokenPair, members: number[][]): Side {
  const sequences = pairs.map((pair) => pair[side]);
  const { ids, segments, positions, rows, width } = packBatch(sequences, { members, width: ROW });
  return { ids, segments, shape: [rows, width], isFirst: (place) => positions[place] === 0 };
}

/** All pairs once, in one of three ways. */
export function batchesOf(pairs: readonly TokenPair[], way: Way, maxTokens: number): Batch[] {
  const options = { maxTokens, seed: 1, epoch: 0 };
  if (way === "packed") {
    const batches = makePackedBatches(pairs, { ...options, sourceWidth: ROW, targetWidth: ROW });
    return batches.map((members) => ({
      source: packed(pairs, "source", members),
      target: packed(pairs, "target", members),
    }));
  }
  return makeBatches(pairs, { ...options, bucketed: way === "bucketed" }).map((numbers) => {
    const some = Array.from(numbers, (n) => pairs[n]!);
    return { source: padded(some, "source"), target: padded(some, "target") };
  });
}

/** One step of training: loss, gradients, Adam. */
function train(model: Transformer, adam: Adam, { source, target }: Batch): number {
  const seen = ({ lengths, segments }: Side) => ({
    ...(lengths && { lengths }),
    ...(segments && { segments }),
  });
  const { loss, grads } = namedGradients(model.parameters.variables, () =>
    tf.tidy(() => {
      const memory = model.encode({
        tokens: tf.tensor2d(source.ids, source.shape, "int32"),
        ...seen(source),
      });
      const read = target.ids.map((_, n) => (target.isFirst(n) ? START : target.ids[n - 1]!));
      const labels = target.ids.map((id) => (id === PAD ? -1 : id));
      const states = model.decode(
        { tokens: tf.tensor2d(read, target.shape, "int32"), ...seen(target) },
        {
          memory,
          ...(source.lengths && { memoryLengths: source.lengths }),
          ...(source.segments && { memorySegments: source.segments }),
        },
      );
      return tokenLoss(model.logits(states), tf.tensor2d(labels, target.shape, "int32"));
    }),
  );
  adam.apply(grads, model.parameters.variables);
  tf.dispose(grads);
  return loss;
}

/**
 * Tokens, sources' and targets', that a Transformer trains on in a second of processor time, and the share of cells that are
 * padding: batches cut from the order of the corpus, of similar lengths, and packed into rows. All train on
 * the first batches of their epoch, in turns; the median round counts.
 */
export async function throughput(
  onProgress: (share: number) => void,
  sizes: ThroughputSizes = SIZES,
): Promise<Metrics> {
  await prepare();
  const { width, layers, vocabulary, rounds, maxTokens } = sizes;
  const pairs = drawSentences(sizes);
  const stacks = { encoderLayers: layers, decoderLayers: layers };
  const model = new Transformer(vaswani({ width, heads: 4, ...stacks, vocabulary, dropout: 0 }), 1);
  const adam = new Adam({ learningRate: 1e-4 });
  const metrics: Metrics = {};
  const speeds: Record<Way, number[]> = { padded: [], bucketed: [], packed: [] };
  const batches: Record<string, Batch[]> = {};
  for (const way of WAYS) {
    const all = batchesOf(pairs, way, maxTokens);
    metrics[`${way}Padding`] = 1 - tokensOf(all) / cellsOf(all);
    batches[way] = firstOf(all, sizes.tokens);
  }
  try {
    // The first step alone sets things up.
    for (const way of WAYS) train(model, adam, batches[way]![0]!);
    for (let round = 0; round < rounds; round++) {
      for (const [at, way] of WAYS.entries()) {
        const begun = clock();
        for (const batch of batches[way]!) train(model, adam, batch);
        speeds[way].push((1000 * tokensOf(batches[way]!)) / (clock() - begun));
        onProgress((round * WAYS.length + at + 1) / (rounds * WAYS.length));
      }
    }
  } finally {
    model.dispose();
    adam.dispose();
  }
  for (const way of WAYS) metrics[`${way}Tokens`] = medianOf(speeds[way]);
  const gain = (way: Way) => medianOf(speeds[way].map((speed, n) => speed / speeds.padded[n]!));
  return { ...metrics, bucketedGain: gain("bucketed"), packedGain: gain("packed") };
}
