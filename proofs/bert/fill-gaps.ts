import * as tf from "@tensorflow/tfjs-core";
import { capture } from "../../src/capture/capture.ts";
import { RandomStream } from "../../src/core/random.ts";
import { layerMap } from "../../src/inspect/index.ts";
import type { Transformer } from "../../src/models/transformer/index.ts";
import { drawTexts, hideWords, inputsOf, type Text, withoutVerb } from "./batch.ts";
import { drawPair, type Sentence, SPECIAL, VOCABULARY } from "./grammar.ts";
import { filler, guesses, pretrained, SIZES, STREAM } from "./pretrain.ts";

export interface GapResult {
  /** Share of hidden words of held-out sentences that the net names. */
  accuracy: number;
  /** `accuracy` over the better of the two baselines that see no context. */
  ratio: number;
  /** The same of who always says the most frequent word. */
  constant: number;
  /** The same of who draws words by their frequency: Σ p². */
  frequency: number;
  /** The same of who knows the most frequent word between each two neighbours. */
  neighbours: number;
  /** Share of hidden verbs whose form fits the subject, though the noun before them has another number. */
  agreement: number;
  /** Share of those verbs from which the head that is best at it looks most at the subject's noun. */
  head: number;
}

const SEED = 1;
const [TEXTS, VERBS, PART] = [1000, 300, 100];
/** Pairs that the neighbours are counted on, as many as the net reads. */
const READ = 128_000;

/** Fills gaps in sentences that no training drew, all of them [MASK]. */
export async function fillGaps(onProgress: (share: number) => void): Promise<GapResult> {
  const model = filler(await pretrained((share) => onProgress(0.9 * share)));
  try {
    const texts = drawTexts(new RandomStream(SEED, STREAM.heldOut), TEXTS, true);
    const random = new RandomStream(SEED, STREAM.hidden);
    const marks = { words: 0, model: 0, neighbours: 0, constant: 0, frequency: 0 };
    const seen = countWords(drawTexts(new RandomStream(SEED, STREAM.texts), READ, false));
    for (let at = 0; at < TEXTS; at += PART) markPart(model, texts.slice(at, at + PART), random, seen, marks);
    const verbs = distantVerbs();
    const share = (right: number) => right / marks.words;
    const [accuracy, constant, frequency] = [marks.model, marks.constant, marks.frequency].map(share) as [
      number,
      number,
      number,
    ];
    return {
      accuracy,
      ratio: accuracy / Math.max(constant, frequency),
      constant,
      frequency,
      neighbours: share(marks.neighbours),
      agreement: agreement(model, verbs),
      head: bestHead(model, verbs),
    };
  } finally {
    model.dispose();
  }
}

/** What the baselines know. */
interface Counts {
  /** Share of each word. */
  frequency: Float64Array;
  best: number;
  /** The most frequent word between two others, and after one. */
  between: ReadonlyMap<number, number>;
  after: ReadonlyMap<number, number>;
}

const V = VOCABULARY.length;

function countWords(texts: readonly Text[]): Counts {
  const frequency = new Float64Array(V);
  const between = new Map<number, Map<number, number>>();
  const after = new Map<number, Map<number, number>>();
  const count = (table: Map<number, Map<number, number>>, context: number, word: number) => {
    const row = table.get(context) ?? new Map<number, number>();
    table.set(context, row.set(word, (row.get(word) ?? 0) + 1));
  };
  let words = 0;
  for (const { pieces } of texts) {
    for (const [n, word] of pieces.entries()) {
      if (SPECIAL.includes(word)) continue;
      words++;
      frequency[word]!++;
      count(between, pieces[n - 1]! * V + pieces[n + 1]!, word);
      count(after, pieces[n - 1]!, word);
    }
  }
  const most = (table: Map<number, Map<number, number>>) =>
    new Map(Array.from(table, ([context, row]) => [context, [...row].sort((a, b) => b[1] - a[1])[0]![0]]));
  const best = frequency.indexOf(Math.max(...frequency));
  return { frequency: frequency.map((n) => n / words), best, between: most(between), after: most(after) };
}

function markPart(
  model: Transformer,
  texts: readonly Text[],
  random: RandomStream,
  seen: Counts,
  marks: Record<"words" | "model" | "neighbours" | "constant" | "frequency", number>,
): void {
  tf.tidy(() => {
    const { inputs, places, words } = hideWords(texts, random, { masked: 1, replaced: 0 });
    const said = tf.argMax(guesses(model, inputs, places), -1).dataSync();
    const width = inputs.tokens.shape[1];
    for (const [n, word] of words.entries()) {
      const { pieces } = texts[Math.floor(places[n]! / width)]!;
      const at = places[n]! % width;
      const [left, right] = [pieces[at - 1]!, pieces[at + 1]!];
      const between = seen.between.get(left * V + right) ?? seen.after.get(left) ?? seen.best;
      marks.words++;
      marks.frequency += seen.frequency[word]!;
      if (said[n] === word) marks.model++;
      if (between === word) marks.neighbours++;
      if (seen.best === word) marks.constant++;
    }
  });
}

/** Held-out sentences in which a noun of the other number stands between the subject and its verb. */
function distantVerbs(): Sentence[] {
  const random = new RandomStream(SEED, STREAM.judged);
  const found: Sentence[] = [];
  while (found.length < VERBS) {
    const [{ attracted, ...first }] = drawPair(random, true);
    if (attracted) found.push({ attracted, ...first });
  }
  return found;
}

/** Goldberg 2019 (arxiv.org/abs/1901.05287): whether the verb is likelier in the right form than in the wrong one. */
function agreement(model: Transformer, sentences: readonly Sentence[]): number {
  return tf.tidy(() => {
    const inputs = inputsOf(sentences.map(withoutVerb));
    const width = inputs.tokens.shape[1]!;
    // [CLS] comes first.
    const places = Int32Array.from(sentences, ({ verb }, b) => b * width + verb + 1);
    const scores = guesses(model, inputs, places).dataSync();
    const right = sentences.filter(
      ({ ids, verb, wrongVerb }, n) => scores[n * V + ids[verb]!]! > scores[n * V + wrongVerb]!,
    );
    return right.length / sentences.length;
  });
}

/** Of all heads, the largest share of verbs that look most at their subject. */
function bestHead(model: Transformer, sentences: readonly Sentence[]): number {
  const found = Array.from({ length: SIZES.layers }, () => new Array<number>(SIZES.heads).fill(0));
  for (const sentence of sentences) {
    const { layers } = capture(() => model.encode(inputsOf([withoutVerb(sentence)])), tf.scalar(0));
    for (const [n, layer] of layers.entries()) {
      const map = layerMap(layer);
      for (let h = 0; h < SIZES.heads; h++) {
        const { values } = map.row(h, sentence.verb + 1);
        if (values.indexOf(Math.max(...values)) === sentence.subject + 1) found[n]![h]!++;
      }
    }
  }
  return Math.max(...found.flat()) / sentences.length;
}
