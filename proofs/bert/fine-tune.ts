import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { bert, Transformer } from "../../src/models/transformer/index.ts";
import { softmaxCrossEntropy } from "../../src/ops/softmax-cross-entropy.ts";
import { constantSchedule } from "../../src/train/schedule.ts";
import { type Metrics, part, worstOf } from "../claim.ts";
import { descend } from "../descend.ts";
import { inputsOf, type Text, withoutVerb } from "./batch.ts";
import { drawPair, VOCABULARY } from "./grammar.ts";
import { pretrained, SIZES, STREAM, type Values } from "./pretrain.ts";

export interface ProbeResult {
  /** Share of held-out sentences that the pre-trained net, fine-tuned, says rightly of one or of many. */
  pretrained: number;
  /** The same of the same net from scratch after as many steps, at the best of its learning rates. */
  scratch: number;
  /** How much the first is better. */
  margin: number;
  /** The same of the net from scratch at the best of all its marks, long after it knows every labelled sentence. */
  longer: number;
}

/** A sentence whose verb is hidden, and the number of its subject: 0 for one, 1 for many. */
interface Asked {
  text: Text;
  count: 0 | 1;
}

const [LABELLED, HELD_OUT, BATCH] = [100, 500, 32];
/** Steps of both nets, of the one from scratch when it goes on, and from one mark to the next. */
const [STEPS, LONGER, BETWEEN] = [150, 600, 50];
const RATE = 1e-3;
/** The net from scratch has the best of these, judged by the very sentences that it is marked with. */
const SCRATCH_RATES = [3e-4, 1e-3, 3e-3];

/**
 * The probe: does a sentence speak of one or of many? Its subject is "the …", its verb is hidden, and between the two
 * stands a phrase or a clause with a noun of the other number in half of the sentences: the form of one noun tells.
 */
function askedSentences(random: RandomStream, count: number, heldOut: boolean): Asked[] {
  const found: Asked[] = [];
  while (found.length < count) {
    const [sentence] = drawPair(random, heldOut);
    const { ids, between, count: number } = sentence;
    // Half are of one, half of many.
    if (
      (between !== "phrase" && between !== "clause") ||
      VOCABULARY[ids[0]!] !== "the" ||
      number !== found.length % 2
    )
      continue;
    found.push({ text: withoutVerb(sentence), count: number });
  }
  return found;
}

/** The net without its head that fills gaps, with one that tells one from many. */
function counter(seed: number, start: Values = {}): Transformer {
  const model = new Transformer(bert({ ...SIZES, head: false, classes: 2 }), seed);
  tf.tidy(() => {
    for (const [name, variable] of Object.entries(model.parameters.variables))
      if (start[name]) variable.assign(tf.tensor(start[name], variable.shape));
  });
  return model;
}

const logitsOf = (model: Transformer, sentences: readonly Asked[]) =>
  model.classLogits(model.encode(inputsOf(sentences.map(({ text }) => text))));

function mark(model: Transformer, sentences: readonly Asked[]): number {
  return tf.tidy(() => {
    const said = tf.argMax(logitsOf(model, sentences), -1).dataSync();
    return sentences.filter(({ count }, n) => said[n] === count).length / sentences.length;
  });
}

interface Task {
  labelled: readonly Asked[];
  heldOut: readonly Asked[];
  seed: number;
}

/** Trains a net, and marks it every so many steps. */
async function marksOf(task: Task, rate: number, steps: number, start?: Values): Promise<number[]> {
  const { labelled, heldOut, seed } = task;
  const model = counter(seed, start);
  const random = new RandomStream(seed, STREAM.steps);
  const marks: number[] = [];
  const loss = () => {
    const batch = Array.from({ length: BATCH }, () => labelled[random.integer(labelled.length)]!);
    const counts = tf.tensor1d(
      batch.map(({ count }) => count),
      "int32",
    );
    return tf.mean(softmaxCrossEntropy(logitsOf(model, batch), counts)) as tf.Scalar;
  };
  try {
    await descend(model.parameters.variables, loss, {
      steps,
      learningRate: constantSchedule({ peak: rate, warmupSteps: 20 }),
      clipNorm: 1,
      onStep: (step) => void (step % BETWEEN === 0 && marks.push(mark(model, heldOut))),
    });
    return marks;
  } finally {
    model.dispose();
  }
}

/** The worst of three seeds, of the sentences and of what is not pre-trained. */
export async function fineTune(onProgress: (share: number) => void): Promise<Metrics> {
  const start = await pretrained(part(onProgress, 0, 2));
  const run = async (seed: number): Promise<ProbeResult> => {
    const task: Task = {
      labelled: askedSentences(new RandomStream(seed, STREAM.labelled), LABELLED, false),
      heldOut: askedSentences(new RandomStream(seed, STREAM.judged), HELD_OUT, true),
      seed,
    };
    const after = STEPS / BETWEEN - 1;
    const [fine] = (await marksOf(task, RATE, STEPS, start)).slice(after) as [number];
    const fromScratch: number[][] = [];
    for (const rate of SCRATCH_RATES) fromScratch.push(await marksOf(task, rate, LONGER));
    const scratch = Math.max(...fromScratch.map((marks) => marks[after]!));
    return { pretrained: fine, scratch, margin: fine - scratch, longer: Math.max(...fromScratch.flat()) };
  };
  return worstOf([1, 2, 3], ["scratch", "longer"], run, part(onProgress, 1, 2));
}
