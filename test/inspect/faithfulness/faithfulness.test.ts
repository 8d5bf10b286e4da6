import { describe, expect, it } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { type Answers, faithfulness, rationaleScores } from "../../../src/inspect/index.ts";

/** A model of inputs that act together: no order is as good as its parts. */
const WEIGHTS = [0.3, -0.2, 0.7, 0.11, 0.5, 0.05, -0.4];
const together: Answers = (kept) =>
  kept.map(
    (flags) =>
      Math.tanh(WEIGHTS.reduce((sum, w, at) => sum + (flags[at] ? w : 0), 0)) + 0.2 * flags[2]! * flags[4]!,
  );

describe("faithfulness", () => {
  it("is what plain loops give", () => {
    const relevance = [3, 1, 7, 2, 5, 4, 0];
    const order = [2, 4, 5, 0, 3, 1, 6];
    const answer = (places: number[]) =>
      together([Uint8Array.from(WEIGHTS, (_, at) => Number(places.includes(at)))])[0]!;
    let [deletion, insertion] = [0, 0];
    for (let n = 0; n < 7; n++) {
      deletion += (answer(order.slice(n)) + answer(order.slice(n + 1))) / 14;
      insertion += (answer(order.slice(0, n)) + answer(order.slice(0, n + 1))) / 14;
    }
    let calls = 0;
    const got = faithfulness(relevance, (kept) => {
      calls++;
      return together(kept);
    });
    expect(calls).toBe(1);
    expect(got.deletion).toBeCloseTo(deletion, 12);
    expect(got.insertion).toBeCloseTo(insertion, 12);
    const [all, none] = [answer(order), answer([])];
    expect(got.score).toBeCloseTo(0.5 + (insertion - deletion) / (2 * (all - none)), 12);
    expect([...got.deleted]).toEqual(order.map((_, n) => answer(order.slice(n))).concat(none));
    expect(got.inserted[2]).toBe(answer([2, 4]));
  });

  it("of an order and of its reverse is 1 together, so that a random one has 1/2 whatever the model", () => {
    const random = new RandomStream(3);
    for (let n = 0; n < 5; n++) {
      const relevance = WEIGHTS.map(() => random.uniform());
      const reverse = relevance.map((x) => -x);
      const sum = faithfulness(relevance, together).score + faithfulness(reverse, together).score;
      expect(sum).toBeCloseTo(1, 12);
    }
  });

  it("leaves fixed inputs where they are, and has no score where the answer never moves", () => {
    const first: Answers = (kept) => kept.map((flags) => flags[0]!);
    const got = faithfulness([9, 1, 2], first, { fixed: [0] });
    expect([...got.deleted, ...got.inserted]).toEqual([1, 1, 1, 1, 1, 1]);
    expect(got.score).toBeNaN();
  });

  it("refuses relevance and answers that are no numbers", () => {
    expect(() => faithfulness([1, Number.NaN], together)).toThrow(
      "faithfulness: relevance[1] must be a number, got NaN; look at what it was made of",
    );
    expect(() => faithfulness([1, 2], () => [1])).toThrow(
      "faithfulness: answers must hold one number for each list = 6 numbers, got 1; pass the whole array, row-major and not detached",
    );
    expect(() => faithfulness([1, 2], (kept) => kept.map(() => Number.NaN))).toThrow(
      "faithfulness: answer 0 must be finite, got NaN; give a probability or a score of the model",
    );
    expect(() => faithfulness([1], together, { fixed: [0] })).toThrow(
      "faithfulness: there must be an input that can be taken away, got 1 inputs, 1 of them fixed; give more inputs or fix fewer",
    );
  });
});

describe("rationaleScores", () => {
  it("are ERASER's, bins and all", () => {
    const relevance = [3, 1, 7, 2, 5, 4, 0];
    const order = [2, 4, 5, 0, 3, 1, 6];
    const answer = (places: number[]) =>
      together([Uint8Array.from(WEIGHTS, (_, at) => Number(places.includes(at)))])[0]!;
    // ⌈share · 7⌉ of 1, 5, 10, 20 and 50 %, after none.
    const sizes = [0, 1, 1, 1, 2, 4];
    const mean = (f: (n: number) => number) => sizes.reduce((sum, n) => sum + f(n), 0) / sizes.length;
    const got = rationaleScores(relevance, together);
    const all = answer(order);
    expect(got.comprehensiveness).toBeCloseTo(
      mean((n) => all - answer(order.slice(n))),
      12,
    );
    expect(got.sufficiency).toBeCloseTo(
      mean((n) => all - answer(order.slice(0, n))),
      12,
    );
  });

  it("refuses shares that are none", () => {
    expect(() => rationaleScores([1, 2], together, { shares: [0.5, 1.5] })).toThrow(
      "rationaleScores: shares must be one or more numbers above 0 and at most 1, got 1.5; choose one in that range or leave it out",
    );
  });
});
