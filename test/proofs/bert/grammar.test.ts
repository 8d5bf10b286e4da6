import "@tensorflow/tfjs-backend-cpu";
import { describe, expect, test } from "vitest";
import { hideWords, inputsOf, textOf } from "../../../proofs/bert/batch.ts";
import { CLS, drawPair, MASK, PAD, SEP, type Sentence, VOCABULARY } from "../../../proofs/bert/grammar.ts";
import { DETERMINERS, PREPOSITIONS, PRONOUNS, SCENES, SOCIAL, THAT } from "../../../proofs/bert/lexicon.ts";
import { isHeldOut } from "../../../proofs/toy/sampler.ts";
import { RandomStream } from "../../../src/core/random.ts";

const PAIRS = 1000;
const random = new RandomStream(1);
const pairs = Array.from({ length: PAIRS }, () => drawPair(random, false));
const sentences = pairs.flat();
const word = (id: number) => VOCABULARY[id]!;
const isFunction = new Set([...DETERMINERS.flat(), ...PREPOSITIONS, ...PRONOUNS, THAT]);
const nouns = SCENES.flatMap(({ agents, things }) => [...agents, ...things]);
const acts = [...SCENES.flatMap(({ verbs }) => verbs), ...SOCIAL];
const isNoun = new Set(nouns.flat());
const isDeterminer = new Set(DETERMINERS.flat());
const numbers = new Map(
  [...nouns, ...acts, PRONOUNS, DETERMINERS].flatMap((forms) =>
    forms.flatMap((form, n) => [form].flat().map((one) => [one, n])),
  ),
);
/** Which number a noun, a verb, a pronoun or a determiner has: 0 or 1; "the" has both. */
const numberOf = (one: string): number | undefined => (one === "the" ? undefined : numbers.get(one));

describe("the grammar", () => {
  test("has a few hundred words, each of one kind, and a skewed distribution", () => {
    const all = [
      ...nouns.flat(),
      ...acts.flat(),
      ...SCENES.flatMap(({ adjectives }) => adjectives),
      ...isFunction,
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(VOCABULARY.length).toBe(4 + all.length);
    const counts = new Map<number, number>();
    for (const { ids } of sentences) for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
    const total = sentences.reduce((sum, { ids }) => sum + ids.length, 0);
    const shares = [...counts.values()].map((n) => n / total).sort((a, b) => b - a);
    expect(shares.length).toBe(all.length);
    expect(shares[0]).toBeGreaterThan(0.05);
    expect(shares[0]).toBeLessThan(0.1);
    const sum = (some: number[]) => some.reduce((all, share) => all + share, 0);
    expect(sum(shares.slice(0, 10))).toBeGreaterThan(0.35);
    expect(sum(shares.slice(shares.length / 2))).toBeLessThan(0.2);
  });

  test("makes a verb agree with its subject, and a determiner with its noun, over whatever stands between", () => {
    const isVerb = new Map(acts.map((forms) => [forms[0], forms]));
    const wrong = sentences.filter(({ ids, subject, verb, wrongVerb }) => {
      const [one, act, other] = [ids[subject]!, ids[verb]!, wrongVerb].map(word) as [string, string, string];
      const forms = isVerb.get(act) ?? isVerb.get(other);
      return !forms || numberOf(one) !== forms.indexOf(act) || numberOf(one) !== 1 - forms.indexOf(other);
    });
    expect(wrong).toEqual([]);
    const odd = sentences.filter(({ ids }) =>
      ids.some((id, n) => {
        if (!isDeterminer.has(word(id))) return false;
        const noun = ids.slice(n + 1).find((next) => isNoun.has(word(next)))!;
        return ![undefined, numberOf(word(noun))].includes(numberOf(word(id)));
      }),
    );
    expect(odd).toEqual([]);
  });

  test("knows where the noun before the verb misleads: in half of the sentences with a phrase or a clause", () => {
    const nearest = ({ ids, verb }: Sentence) =>
      ids.slice(0, verb).findLast((id) => isNoun.has(word(id)) || PRONOUNS.includes(word(id)))!;
    const unlike = sentences.filter((sentence) => {
      const { ids, subject, attracted, between } = sentence;
      const misleads = numberOf(word(nearest(sentence))) !== numberOf(word(ids[subject]!));
      return attracted !== misleads || (between === "nothing" && misleads);
    });
    expect(unlike).toEqual([]);
    const far = sentences.filter(({ between }) => between !== "nothing");
    expect(far.length).toBeGreaterThan(500);
    const share = far.filter(({ attracted }) => attracted).length / far.length;
    expect(Math.abs(share - 0.5)).toBeLessThan(0.1);
  });

  test("writes no noun, verb or adjective twice in a pair: a hidden word cannot be copied", () => {
    const lemmas = new Map([...nouns, ...acts].flatMap((forms) => forms.map((form) => [form, forms[0]])));
    for (const pair of pairs) {
      const content = pair.flatMap(({ ids }) => ids.map(word)).filter((one) => !isFunction.has(one));
      expect(new Set(content.map((one) => lemmas.get(one) ?? one)).size).toBe(content.length);
    }
  });

  test("says a pronoun of the other sentence's subject, in a part of the pairs", () => {
    const spoken = pairs.filter(([, { ids, subject }]) => PRONOUNS.includes(word(ids[subject]!)));
    expect(spoken.length / PAIRS).toBeGreaterThan(0.2);
    expect(spoken.length / PAIRS).toBeLessThan(0.3);
    for (const [a, b] of spoken)
      expect(numberOf(word(b.ids[b.subject]!))).toBe(numberOf(word(a.ids[a.subject]!)));
  });

  test("holds sentences out: both of a pair, or none", () => {
    const stream = new RandomStream(2);
    for (const heldOut of [true, false])
      for (let n = 0; n < 300; n++)
        for (const { ids } of drawPair(stream, heldOut)) expect(isHeldOut(ids)).toBe(heldOut);
  });

  test("is a function of the seed", () => {
    const draw = (seed: number) => drawPair(new RandomStream(seed), true);
    expect(draw(3)).toEqual(draw(3));
    expect(draw(3)).not.toEqual(draw(4));
  });
});

describe("a batch of texts", () => {
  const texts = pairs.slice(0, 40).map((pair) => textOf(...pair));

  test("is [CLS] a [SEP] b [SEP] with the kind of each segment, padded at the end", () => {
    const [a, b] = pairs[0]!;
    expect(texts[0]!.pieces).toEqual([CLS, ...a.ids, SEP, ...b.ids, SEP]);
    const { tokens, types, lengths } = inputsOf(texts);
    const [, width] = tokens.shape;
    const [ids, kinds] = [tokens, types!].map((x) => [...x.dataSync()].slice(0, width));
    const length = a.ids.length + b.ids.length + 3;
    expect(lengths![0]).toBe(length);
    expect(ids).toEqual([...texts[0]!.pieces, ...new Array(width! - length).fill(PAD)]);
    expect(kinds!.slice(0, length)).toEqual([
      ...new Array(a.ids.length + 2).fill(0),
      ...new Array(b.ids.length + 1).fill(1),
    ]);
    tokens.dispose();
    types!.dispose();
  });

  test("hides 15 % of its words, and no [CLS], [SEP] or padding", () => {
    const { inputs, places, words } = hideWords(texts, new RandomStream(1), { masked: 1, replaced: 0 });
    const total = texts.reduce((sum, { pieces }) => sum + pieces.length - 3, 0);
    expect(words.length).toBe(Math.round(0.15 * total));
    const [, width] = inputs.tokens.shape;
    const read = inputs.tokens.dataSync();
    for (const [n, place] of places.entries()) {
      expect(read[place]).toBe(MASK);
      expect(words[n]).toBe(texts[Math.floor(place / width!)]!.pieces[place % width!]);
      expect(words[n]).toBeGreaterThan(MASK);
    }
    inputs.tokens.dispose();
    inputs.types!.dispose();
  });
});
