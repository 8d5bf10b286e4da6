import "@tensorflow/tfjs-layers"; // brings the gradients of TensorFlow.js
import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../../src/core/random.ts";
import { padBatch } from "../../../src/data/batching.ts";
import { END, UNKNOWN } from "../../../src/data/bpe.ts";
import { createTrace, type Trace, traceTensor } from "../../../src/inspect/index.ts";
import { beamSearch } from "../../../src/models/seq2seq/search.ts";
import { Seq2Seq } from "../../../src/models/seq2seq/seq2seq.ts";
import { Adam } from "../../../src/train/adam.ts";
import { namedGradients } from "../../../src/train/named-gradients.ts";
import type { ToyInput, ToyStep } from "../train-protocol.ts";
import type { LiveModel, RunContext } from "./model.ts";
import { drawPairs, drawSentence, SOURCE_WORDS, TARGET_WORDS, translateToy } from "./toy-language.ts";
import { traceBytes } from "./trace-bytes.ts";

const FIRST_WORD = UNKNOWN + 1;
const BATCH = 32;
/** How often the page is told, in milliseconds: drawing is the page's work. */
const LOOK_MS = 250;
const MARKED = 40;
const MOST_STEPS = 2000;
const WIDTH = 32;
const LEARNING_RATE = 0.004;

/** Streams of random numbers: what is marked does not follow what is learnt. */
const STREAM = { training: 1, heldOut: 2, sentence: 3 } as const;

/** A small translator that learns in the page. It goes on where it was stopped, as long as the seed is the same. */
export function openTraining(): LiveModel {
  let learner: ToyLearner | undefined;
  return {
    facts: {},
    acts: {
      trainToy(input, context) {
        if (learner?.seed !== input.seed) {
          learner?.dispose();
          learner = new ToyLearner(input.seed);
        }
        return learner.run(input, context);
      },
    },
    dispose: () => learner?.dispose(),
  };
}

class ToyLearner {
  readonly seed: number;
  readonly #model: Seq2Seq;
  readonly #adam = new Adam({ learningRate: LEARNING_RATE, clipNorm: 1 });
  readonly #random: RandomStream;
  readonly #heldOut: ReturnType<typeof drawPairs>;
  #step = 0;

  constructor(seed: number) {
    this.seed = seed;
    this.#random = new RandomStream(seed, STREAM.training);
    this.#heldOut = drawPairs(new RandomStream(seed, STREAM.heldOut), MARKED, true);
    this.#model = new Seq2Seq(
      {
        sourceVocabulary: FIRST_WORD + SOURCE_WORDS.length,
        targetVocabulary: FIRST_WORD + TARGET_WORDS.length,
        ...{ embedding: WIDTH, encoder: WIDTH, decoder: 2 * WIDTH, attention: WIDTH, maxSource: 16 },
        ...{
          cell: "gru",
          style: "luong",
          score: "general",
          inputFeeding: true,
          dropout: 0,
          tieEmbeddings: false,
        },
      },
      seed,
    );
  }

  async run({ sentence }: ToyInput, context: RunContext): Promise<ToyStep> {
    const words = sentence.trim().toLowerCase().split(/\s+/);
    const source = translateToy(words) ? words : drawSentence(new RandomStream(this.seed, STREAM.sentence));
    if (this.#step === 0) await context.step(this.#look(source, Number.NaN));
    let latest = this.#look(source, Number.NaN);
    while (!context.isStopped && this.#step < MOST_STEPS) {
      let [loss, steps] = [0, 0];
      for (const begun = performance.now(); steps === 0 || performance.now() - begun < LOOK_MS; steps++)
        loss += this.#learn();
      latest = this.#look(source, loss / steps);
      await context.step(latest);
      latest = { ...latest, trace: undefined };
    }
    return latest;
  }

  dispose(): void {
    this.#adam.dispose();
    this.#model.dispose();
  }

  #learn(): number {
    const pairs = drawPairs(this.#random, BATCH, false);
    const source = padBatch(pairs.map((pair) => idsOf(SOURCE_WORDS, pair.source)));
    const target = padBatch(pairs.map((pair) => [...idsOf(TARGET_WORDS, pair.target), END]));
    const { variables } = this.#model.parameters;
    const { loss, grads } = namedGradients(variables, () => this.#model.loss(source, target));
    this.#adam.apply(grads, variables);
    tf.dispose(grads);
    this.#step++;
    return loss;
  }

  #look(source: readonly string[], loss: number): ToyStep {
    const asked = [{ source: [...source], target: translateToy(source)! }, ...this.#heldOut];
    const found = beamSearch(this.#model, padBatch(asked.map((pair) => idsOf(SOURCE_WORDS, pair.source))));
    const written = found.map(([best]) => best!.ids.map((id) => TARGET_WORDS[id - FIRST_WORD] ?? "?"));
    const right = this.#heldOut.filter(
      ({ target }, n) => target.join(" ") === written[n + 1]!.join(" "),
    ).length;
    const weights = found[0]![0]!.weights.map((row) => Array.from(row.slice(0, source.length)));
    return {
      ...{ step: this.#step, loss, right: right / MARKED },
      ...{ source, target: asked[0]!.target, written: written[0]! },
      trace: traceBytes(alignmentTrace(source, written[0]!, weights)),
    };
  }
}

const idsOf = (words: readonly string[], sentence: readonly string[]) =>
  sentence.map((word) => words.indexOf(word) + FIRST_WORD);

function alignmentTrace(
  src: readonly string[],
  tgt: readonly string[],
  weights: number[][],
): Trace | undefined {
  if (tgt.length === 0) return undefined;
  const attn = traceTensor([1, tgt.length, src.length], weights.flat());
  return createTrace({
    name: "a translator that learns",
    tokens: { src: [...src], tgt: [...tgt] },
    layers: [{ name: "alignment", alignQ: "tgt", alignK: "src", attn }],
  });
}
