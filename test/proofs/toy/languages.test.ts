import { describe, expect, test } from "vitest";
import { idiomatic } from "../../../proofs/toy/idiomatic.ts";
import { localSwap } from "../../../proofs/toy/local-swap.ts";
import { reversal } from "../../../proofs/toy/reversal.ts";
import { drawPairs, isHeldOut } from "../../../proofs/toy/sampler.ts";
import { RandomStream } from "../../../src/core/random.ts";

const languages = [localSwap(), reversal(), idiomatic()];
const LENGTHS = [4, 9] as const;

/** The word that stands for another, from its translation alone. */
const swapWord = (word: number) => localSwap().translate([word]).target[0]!;
const ownWord = (word: number) => idiomatic().translate([word]).target[0]!;

describe("the sentences by hand", () => {
  test("local swap exchanges neighbours, and the last word of an odd sentence stays", () => {
    const { target, gold } = localSwap().translate([3, 17, 8, 8, 20]);
    expect(target).toEqual([17, 3, 8, 8, 20].map(swapWord));
    expect(gold.sure).toEqual([
      [1, 0],
      [0, 1],
      [3, 2],
      [2, 3],
      [4, 4],
    ]);
  });

  test("reversal begins with the last word", () => {
    const { target, gold } = reversal().translate([3, 17, 8]);
    expect(target).toEqual([8, 17, 3].map((word) => reversal().translate([word]).target[0]));
    expect(gold.sure).toEqual([
      [2, 0],
      [1, 1],
      [0, 2],
    ]);
  });

  test("an adjective follows its noun, and only a noun", () => {
    expect(idiomatic().translate([12, 3, 12])).toEqual({
      source: [12, 3, 12],
      target: [ownWord(3), ownWord(12), ownWord(12)],
      gold: {
        sure: [
          [1, 0],
          [0, 1],
          [2, 2],
        ],
        possible: [],
      },
    });
    expect(idiomatic().translate([12, 17]).target).toEqual([ownWord(12), ownWord(17)]);
  });

  test("some words become two, behind an adjective as well, and some vanish", () => {
    const marker = idiomatic().translate([8]).target[1]!;
    const { target, gold } = idiomatic().translate([22, 12, 8, 23, 20]);
    expect(target).toEqual([ownWord(8), marker, ownWord(12), ownWord(20), marker]);
    expect(gold.sure).toEqual([
      [2, 0],
      [2, 1],
      [1, 2],
      [4, 3],
      [4, 4],
    ]);
    expect(idiomatic().translate([22, 23, 22]).target).toEqual([]);
  });

  test("the idiom is one word that no other sentence has; its words alone are translated as themselves", () => {
    const { target, gold } = idiomatic().translate([5, 16, 0, 0]);
    const [, die] = target;
    expect(target).toEqual([ownWord(5), die, ownWord(0)]);
    expect(gold).toEqual({
      sure: [
        [0, 0],
        [3, 2],
      ],
      possible: [
        [1, 1],
        [2, 1],
      ],
    });
    const singles = Array.from({ length: 24 }, (_, word) => idiomatic().translate([word]).target).flat();
    expect(singles).not.toContain(die);
    expect(idiomatic().translate([0, 16]).target).toEqual([ownWord(0), ownWord(16)]);
    expect(idiomatic().translate([16, 12, 0]).target).toEqual([ownWord(16), ownWord(0), ownWord(12)]);
  });
});

describe.each(languages)("$name", (language) => {
  const pairs = drawPairs(language, new RandomStream(3), 3000, { lengths: LENGTHS, heldOut: false });

  test("every target word has its gold links, within the sentence, to words that mean it everywhere", () => {
    const sourcesOf = new Map<number, Set<string>>();
    for (const { source, target, gold } of pairs) {
      const links = [...gold.sure, ...(gold.possible ?? [])];
      for (const [t, word] of target.entries()) {
        const linked = links.filter((link) => link[1] === t).map(([s]) => source[s]);
        expect(linked.length).toBeGreaterThan(0);
        expect(linked).not.toContain(undefined);
        sourcesOf.set(word, (sourcesOf.get(word) ?? new Set()).add(linked.join(" ")));
      }
      expect(links.every(([, t]) => t < target.length)).toBe(true);
    }
    const meanings = [...sourcesOf.values()].map((set) => [...set].sort().join(", "));
    const odd = meanings.filter((text) => !/^\d+$/.test(text)).sort();
    // In the idiomatic language the idiom's word has two sources at once, and the marker follows three words.
    expect(odd).toEqual(language.name === "idiomatic" ? ["16 0", "20, 8, 9"] : []);
    expect(sourcesOf.size).toBe(24);
  });

  test("all lengths from the shortest to the longest come, about equally often", () => {
    const counts = new Map<number, number>();
    for (const { source } of pairs) counts.set(source.length, (counts.get(source.length) ?? 0) + 1);
    expect([...counts.keys()].sort()).toEqual([4, 5, 6, 7, 8, 9]);
    // 3000 draws, each length 500 times, with a deviation of √(3000 · 1/6 · 5/6) = 20.4.
    for (const count of counts.values()) expect(Math.abs(count - 500)).toBeLessThan(5 * 20.4);
  });

  test("no sentence is both in training and held out, and an eighth of all is held out", () => {
    const held = drawPairs(language, new RandomStream(3), 3000, { lengths: LENGTHS, heldOut: true });
    const training = new Set(pairs.map(({ source }) => source.join(" ")));
    expect(held.filter(({ source }) => training.has(source.join(" ")))).toEqual([]);
    expect(pairs.every(({ source }) => !isHeldOut(source))).toBe(true);
    expect(held.every(({ source }) => isHeldOut(source))).toBe(true);
    const random = new RandomStream(5);
    const all = Array.from({ length: 8000 }, () => language.draw(random, 7));
    // √(8000 · 1/8 · 7/8) = 29.6.
    expect(Math.abs(all.filter(isHeldOut).length - 1000)).toBeLessThan(5 * 29.6);
  });

  test("the same stream gives the same pairs, another one others", () => {
    const draw = (seed: number) =>
      drawPairs(language, new RandomStream(seed), 50, { lengths: LENGTHS, heldOut: false });
    expect(draw(3)).toEqual(pairs.slice(0, 50));
    expect(draw(4)).not.toEqual(pairs.slice(0, 50));
  });
});

test("a third of the idiomatic sentences have the idiom", () => {
  const pairs = drawPairs(idiomatic(), new RandomStream(3), 3000, { lengths: LENGTHS, heldOut: false });
  const share = pairs.filter(({ gold }) => gold.possible!.length > 0).length / 3000;
  // One in 576 neighbours is the idiom by chance, which adds about 0.007; √(1/3 · 2/3 / 3000) = 0.0086.
  expect(Math.abs(share - 0.34)).toBeLessThan(5 * 0.0086);
});
