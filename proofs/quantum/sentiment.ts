import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { QuantumSelfAttentionNetwork } from "../../src/models/quantum-self-attention-network.ts";
import { tidyData } from "../../src/ops/tidy.ts";
import { type Metrics, part } from "../claim.ts";
import { descend, prepare } from "../descend.ts";
import { meanOf } from "../statistics.ts";
import type { StepCost } from "../step-cost.ts";
import { drawSentences, LONGEST, type Sentences, WORDS } from "./sentences.ts";

const SIZES = { vocabulary: WORDS.length, qubits: 2 };
const [TRAINING, BATCH, HELD_OUT] = [300, 32, 1000];
/** A net is marked every so many steps: of the one without attention the best mark counts. */
const MARK = 50;
/** Streams of random numbers of a seed. */
const [OF_TRAINING, OF_TEST] = [1, 2];

/**
 * Simulated quantum self-attention learns whether a sentence praises.
 *
 * `accuracy` is the share that is right of 1000 held-out sentences; `bagOfWords` that of the same net without its layer of
 * attention, which is a bag of words, at the best of its marks.
 */
export async function learnSentiment(seed: number, onProgress: (share: number) => void): Promise<Metrics> {
  await prepare();
  const model = new QuantumSelfAttentionNetwork({ ...SIZES, layers: 1 }, seed);
  const bag = new QuantumSelfAttentionNetwork({ ...SIZES, layers: 0 }, seed);
  const held = drawSentences(new RandomStream(seed, OF_TEST), HELD_OUT, { heldOut: true });
  try {
    const cost = await train(model, seed, part(onProgress, 0, 2));
    const marks: number[] = [];
    await train(bag, seed, part(onProgress, 1, 2), () => marks.push(accuracyOf(bag, held)));
    return {
      accuracy: accuracyOf(model, held),
      bagOfWords: Math.max(...marks),
      ...cost,
    };
  } finally {
    model.dispose();
    bag.dispose();
  }
}

async function train(
  model: QuantumSelfAttentionNetwork,
  seed: number,
  onProgress: (share: number) => void,
  onMark: () => void = () => {},
): Promise<StepCost> {
  const random = new RandomStream(seed, OF_TRAINING);
  const loss = () => {
    const sentences = drawSentences(random, BATCH, { heldOut: false });
    // −ln σ(±logit), as ln(1 + e^∓logit).
    const signs = tf.sub(1, tf.mul(2, tf.cast(tf.tensor1d(sentences.labels, "int32"), "float32")));
    return tf.mean<tf.Scalar>(tf.softplus(tf.mul(signs, logits(model, sentences))));
  };
  return descend(model.parameters.variables, loss, {
    steps: TRAINING,
    learningRate: 0.03,
    clipNorm: 1,
    onProgress,
    onStep: (step) => {
      if (step % MARK === 0) onMark();
    },
  });
}

function logits(model: QuantumSelfAttentionNetwork, { tokens, lengths }: Sentences): tf.Tensor1D {
  return model.logits(tf.tensor2d(tokens, [lengths.length, LONGEST], "int32"), { lengths });
}

function accuracyOf(model: QuantumSelfAttentionNetwork, sentences: Sentences): number {
  const said = tidyData(() => logits(model, sentences).dataSync());
  return meanOf(Array.from(said, (logit, n): number => (logit > 0 === (sentences.labels[n] === 1) ? 1 : 0)));
}
