import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { EndToEndMemoryNetwork } from "../../src/models/memory/end-to-end-memory-network.ts";
import { softmaxCrossEntropy } from "../../src/ops/softmax-cross-entropy.ts";
import { tidyData } from "../../src/ops/tidy.ts";
import { descend, descendUntilSettled, errorOfShare, prepare } from "../descend.ts";
import { isHeldOut } from "../toy/sampler.ts";

const PEOPLE = ["mary", "john", "daniel", "sandra"];
const PLACES = ["kitchen", "garden", "office", "bathroom", "hallway", "bedroom"];
const THINGS = ["apple", "football", "milk"];
const MOVES = ["went", "moved", "travelled"];
const TAKES = ["took", "grabbed"];
/** Word 0 is no word. */
export const WORDS = ["", ...PEOPLE, ...PLACES, ...THINGS, ...MOVES, ...TAKES, "to", "the", "where", "is"];
/** Words of the longest sentence. */
const J = 5;

/** A story as sentences of words, with a question about its end. */
export interface Story {
  sentences: string[][];
  question: string[];
  answer: string;
  /** The sentences that the answer follows from, in the order in which it does. */
  supporting: number[];
}

export interface StoryOptions {
  /** Where somebody is (1), or where a thing is that somebody carries (2). */
  facts: 1 | 2;
  /** Sentences, the fewest and the most. */
  lengths: readonly [fewest: number, most: number];
  /** Stories kept from training, or the others: a hash of their words decides. */
  heldOut: boolean;
}

/** People walk about and, in stories of two facts, take things, each once. */
export function drawStory(random: RandomStream, options: StoryOptions): Story {
  for (;;) {
    const story = anyStory(random, options);
    const words = [...story.sentences.flat(), ...story.question].map((word) => WORDS.indexOf(word));
    if (isHeldOut(words) === options.heldOut) return story;
  }
}

function anyStory(random: RandomStream, { facts, lengths: [fewest, most] }: StoryOptions): Story {
  const pick = <T>(list: readonly T[]): T => list[random.integer(list.length)]!;
  for (;;) {
    const sentences: string[][] = [];
    /** The last sentence that says where a person is, and who has a thing. */
    const lastMove = new Map<string, number>();
    const taken = new Map<string, number>();
    const length = fewest + random.integer(most - fewest + 1);
    while (sentences.length < length) {
      const person = pick(PEOPLE);
      const left = THINGS.filter((thing) => !taken.has(thing));
      if (facts === 2 && left.length > 0 && random.integer(3) === 0) {
        const thing = pick(left);
        taken.set(thing, sentences.length);
        sentences.push([person, pick(TAKES), "the", thing]);
      } else {
        lastMove.set(person, sentences.length);
        sentences.push([person, pick(MOVES), "to", "the", pick(PLACES)]);
      }
    }
    const placeOf = (n: number) => sentences[n]!.at(-1)!;
    if (facts === 1) {
      const asked = pick([...lastMove.keys()]);
      const at = lastMove.get(asked)!;
      return { sentences, question: ["where", "is", asked], answer: placeOf(at), supporting: [at] };
    }
    const carried = [...taken].filter(([, n]) => lastMove.has(sentences[n]![0]!));
    if (carried.length === 0) continue;
    const [thing, n] = pick(carried);
    const at = lastMove.get(sentences[n]![0]!)!;
    return { sentences, question: ["where", "is", "the", thing], answer: placeOf(at), supporting: [n, at] };
  }
}

/** Stories as a network reads them. */
export function storyBatch(stories: readonly Story[]) {
  const S = Math.max(...stories.map(({ sentences }) => sentences.length));
  const padded = (words: readonly string[]) =>
    Array.from({ length: J }, (_, j) => WORDS.indexOf(words[j] ?? ""));
  const ids = stories.flatMap(({ sentences }) =>
    Array.from({ length: S }, (_, i) => padded(sentences[i] ?? [])),
  );
  return {
    stories: tf.tensor3d(ids.flat(), [stories.length, S, J], "int32"),
    questions: tf.tensor2d(
      stories.map(({ question }) => padded(question)),
      [stories.length, J],
      "int32",
    ),
    lengths: stories.map(({ sentences }) => sentences.length),
  };
}

export interface StoriesOptions extends Omit<StoryOptions, "heldOut"> {
  /** How often the network reads the story. */
  hops: number;
  /** Optimiser steps. */
  steps: number;
  /** How many of them without a softmax, as the paper begins. @default 0 */
  linearSteps?: number;
  /** Whether it trains until it stops improving; `steps` are then the most at one rate. @default false */
  untilSettled?: boolean;
  /** Of the parameters and the stories. @default 1 */
  seed?: number;
  onProgress?: (share: number) => void;
}

export interface StoriesResult {
  /** The share of questions about new stories that are answered right; chance is 1/6. */
  accuracy: number;
  /** The share of stories in which the largest weight of the first hop is on the first supporting sentence. */
  firstHop: number;
  /** That of the second hop on the second one; 0 where there is none. */
  secondHop: number;
}

/** With how many steps it took, and whether it stopped improving. */
export interface StoriesTrained extends StoriesResult {
  steps: number;
  settled: boolean;
}

const WIDTH = 32;
const BATCH = 32;
const [HELD_OUT, VALIDATION] = [1000, 4000];
const STREAM = { training: 2, heldOut: 3, validation: 4 } as const;
/** Steps between two readings of the score of a network that trains until it stops improving. */
const EVERY = 300;

/** A network for stories of these words and at most this many sentences. */
export const storyNetwork = (slots: number, hops: number, seed: number) =>
  new EndToEndMemoryNetwork({ vocabulary: WORDS.length, slots, words: J, width: WIDTH, hops }, seed);

/** Trains a memory network on generated stories, and asks it about new ones. The same options give the same metrics. */
export async function trainStories(options: StoriesOptions): Promise<StoriesTrained> {
  const { hops, steps, linearSteps = 0, seed = 1, lengths, untilSettled = false, onProgress } = options;
  await prepare();
  const network = storyNetwork(lengths[1], hops, seed);
  const random = new RandomStream(seed, STREAM.training);
  const draw = (stream: RandomStream, n: number, heldOut: boolean) =>
    Array.from({ length: n }, () => drawStory(stream, { ...options, heldOut }));
  const loss = (step: number) => {
    const stories = draw(random, BATCH, false);
    const { logits } = network.answer(storyBatch(stories), { linear: step < linearSteps });
    const labels = stories.map(({ answer }) => WORDS.indexOf(answer));
    return tf.mean(softmaxCrossEntropy(logits, tf.tensor1d(labels, "int32"))) as tf.Scalar;
  };
  try {
    const { variables } = network.parameters;
    const given = { steps, learningRate: 0.01, clipNorm: 10, onProgress };
    const marked = (stream: number, count: number) =>
      measure(network, draw(new RandomStream(seed, stream), count, true));
    const score = () => marked(STREAM.validation, VALIDATION).accuracy;
    const until = { score, every: EVERY, error: errorOfShare(VALIDATION) };
    const went = untilSettled ? await descendUntilSettled(variables, loss, { ...given, until }) : undefined;
    if (!went) await descend(variables, loss, given);
    return { ...marked(STREAM.heldOut, HELD_OUT), steps, settled: false, ...went };
  } finally {
    network.dispose();
  }
}

function measure(network: EndToEndMemoryNetwork, stories: readonly Story[]): StoriesResult {
  return tidyData(() => {
    const { logits, weights } = network.answer(storyBatch(stories));
    const answers = tf.argMax(logits, 1).dataSync();
    const looked = weights.map((hop) => tf.argMax(hop, 1).dataSync());
    const share = (holds: (story: Story, n: number) => boolean) =>
      stories.filter(holds).length / stories.length;
    const found = (n: number, at: number | undefined, hop: number) =>
      at !== undefined && looked[hop]?.[n] === at;
    return {
      accuracy: share(({ answer }, n) => WORDS[answers[n]!] === answer),
      firstHop: share(({ supporting }, n) => found(n, supporting[0], 0)),
      secondHop: share(({ supporting }, n) => found(n, supporting[1], 1)),
    };
  });
}
