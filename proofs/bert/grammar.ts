import type { RandomStream } from "../../src/core/random.ts";
import { isHeldOut } from "../toy/sampler.ts";
import {
  DETERMINERS,
  type Forms,
  PREPOSITIONS,
  PRONOUNS,
  SCENES,
  type Scene,
  SOCIAL,
  THAT,
} from "./lexicon.ts";

/** Ids of pieces that are no words. */
export const [PAD, CLS, SEP, MASK] = [0, 1, 2, 3];
export const SPECIAL: readonly number[] = [PAD, CLS, SEP, MASK];

const words = [
  ...SCENES.flatMap(({ agents, things, verbs, adjectives }) => [
    ...[agents, things, verbs].flat(2),
    ...adjectives,
  ]),
  ...SOCIAL.flat(),
  ...DETERMINERS.flat(),
  ...PREPOSITIONS,
  ...PRONOUNS,
  THAT,
];

/** The word of each id; the special pieces come first. */
export const VOCABULARY: readonly string[] = ["[PAD]", "[CLS]", "[SEP]", "[MASK]", ...new Set(words)];
const IDS = new Map(VOCABULARY.map((word, id) => [word, id]));

/** 0 for one, 1 for many. */
export type Count = 0 | 1;
/** What stands between a subject and its verb. */
type Between = "nothing" | "phrase" | "clause" | "own clause";

export interface Sentence {
  ids: number[];
  /** Places of the subject's noun or pronoun, and of its verb. */
  subject: number;
  verb: number;
  /** The number of both. */
  count: Count;
  between: Between;
  /** Whether the noun next before the verb has another number than the subject. */
  attracted: boolean;
  /** The verb in the other number, which makes the sentence wrong. */
  wrongVerb: number;
}

/** Draws the i-th of n things with a probability that falls as 1/(i + 1). */
function rank(random: RandomStream, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += 1 / (i + 1);
  let left = random.uniform() * sum;
  for (let i = 0; i < n - 1; i++) {
    left -= 1 / (i + 1);
    if (left < 0) return i;
  }
  return n - 1;
}

/** Writes one pair of sentences. Nouns, verbs and adjectives stand once in it: what is hidden here cannot be read there. */
class Writer {
  readonly #random: RandomStream;
  readonly #scene: Scene;
  readonly #used: Set<unknown>;
  readonly #words: string[] = [];

  constructor(random: RandomStream, scene: Scene, used: ReadonlySet<unknown>) {
    this.#random = random;
    this.#scene = scene;
    this.#used = new Set(used);
  }

  /** The words drawn so far. */
  get used(): ReadonlySet<unknown> {
    return this.#used;
  }

  /** Subject, what stands between, verb, object; `before` is the number of the subject of the sentence before. */
  sentence(before: Count | undefined): Sentence {
    const isPronoun = before !== undefined && this.#happens(0.25);
    const count = isPronoun ? before : this.#count();
    const subject = isPronoun ? this.#say(PRONOUNS[count]) : this.#nounPhrase(this.#scene.agents, count);
    const between = before === undefined ? this.#between() : "nothing";
    const nearest = this.#modifier(between, count);
    const act = this.#draw(this.#scene.verbs)!;
    const verb = this.#say(act[count]);
    this.#nounPhrase(this.#scene.things, this.#count());
    const ids = this.#words.map((word) => IDS.get(word)!);
    return {
      ids,
      subject,
      verb,
      between,
      attracted: nearest !== count,
      wrongVerb: IDS.get(act[1 - count]!)!,
      count,
    };
  }

  #between(): Between {
    const at = this.#random.uniform();
    return at < 0.35 ? "nothing" : at < 0.6 ? "phrase" : at < 0.85 ? "clause" : "own clause";
  }

  /** What stands between a subject and its verb; the number of the last noun before the verb. */
  #modifier(between: Between, subject: Count): Count {
    const count = this.#count();
    if (between === "nothing") return subject;
    if (between === "phrase") this.#phrase(count);
    else {
      this.#say(THAT);
      const act = this.#draw(SOCIAL)!;
      if (between === "own clause") this.#say(act[subject]);
      this.#nounPhrase(this.#scene.agents, count);
      if (between === "clause") this.#say(act[count]);
    }
    return count;
  }

  #phrase(count: Count): void {
    this.#say(PREPOSITIONS[rank(this.#random, PREPOSITIONS.length)]!);
    this.#nounPhrase(this.#scene.things, count);
  }

  /** Determiner, at times an adjective, noun; where the noun stands. */
  #nounPhrase(nouns: readonly Forms[], count: Count): number {
    const determiners = DETERMINERS[count]!;
    this.#say(determiners[rank(this.#random, determiners.length)]!);
    const adjective = this.#happens(0.15) && this.#draw(this.#scene.adjectives);
    if (adjective) this.#say(adjective);
    return this.#say(this.#draw(nouns)![count]);
  }

  /** One of the words that this pair does not have yet. */
  #draw<T>(from: readonly T[]): T | undefined {
    const free = from.filter((one) => !this.#used.has(one));
    const drawn = free[rank(this.#random, free.length)];
    this.#used.add(drawn);
    return drawn;
  }

  #say(word: string): number {
    return this.#words.push(word) - 1;
  }

  #count(): Count {
    return this.#random.uniform() < 0.5 ? 0 : 1;
  }

  #happens(share: number): boolean {
    return this.#random.uniform() < share;
  }
}

/**
 * Two sentences of one scene, of which the second is a short one; with a probability of a quarter it begins with a
 * pronoun for the first's subject.
 *
 *     the chef  near some pots       stirs  a hot pan
 *     these guests  that a waiter admires   taste  every cake
 *
 * A determiner has the number of its noun and a verb that of its subject, over whatever stands between. What else is
 * known of a hidden word is its kind, from its place, and its scene, from the words around; which of some five words of
 * a kind it is, is chance, the first of a list the likeliest. So no model is always right.
 *
 * @param heldOut sentences that are kept from training, or the others: both of a pair
 */
export function drawPair(random: RandomStream, heldOut: boolean): [Sentence, Sentence] {
  const scene = SCENES[random.integer(SCENES.length)]!;
  const draw = (used: ReadonlySet<unknown>, before?: Count) => {
    for (;;) {
      const writer = new Writer(random, scene, used);
      const sentence = writer.sentence(before);
      if (isHeldOut(sentence.ids) === heldOut) return { sentence, used: writer.used };
    }
  };
  const first = draw(new Set());
  return [first.sentence, draw(first.used, first.sentence.count).sentence];
}
