import { beforeAll, describe, expect, test } from "vitest";
import { idiomatic } from "../../../proofs/toy/idiomatic.ts";
import { localSwap } from "../../../proofs/toy/local-swap.ts";
import { type ToyResult, trainToy } from "../../../proofs/toy/train.ts";

/** Twelve words, sentences of 3 to 6: small enough to be learnt in seconds. */
const SMALL = { width: 32, steps: 300, batch: 48, lengths: [3, 6], longer: [8, 9], heldOut: 300 } as const;

/** Seconds on a free core; a busy machine takes its time. */
const PATIENCE_MS = 180_000;

describe("a small model of local swap", () => {
  const losses: number[] = [];
  let attentive: ToyResult;
  let baseline: ToyResult;

  beforeAll(async () => {
    const language = localSwap(12);
    const onStep = (step: number, loss: number) => {
      losses[step - 1] = loss;
    };
    attentive = await trainToy({ ...SMALL, language, score: "general", onStep });
    baseline = await trainToy({ ...SMALL, language, score: "none" });
  }, PATIENCE_MS);

  test("learns to translate new sentences and to look at the right words", () => {
    expect(attentive.exact).toBeGreaterThanOrEqual(0.95);
    expect(attentive.alignmentAccuracy).toBeGreaterThanOrEqual(0.9);
    expect(attentive.alignmentErrorRate).toBeLessThanOrEqual(0.1);
  });

  test("does far worse without attention, at the same cost, and worst on long sentences", () => {
    expect(baseline.exact).toBeGreaterThan(0);
    expect(baseline.exact).toBeLessThan(0.4);
    expect(baseline.exactByLength[6]).toBeLessThan(baseline.exactByLength[3]!);
    // Uniform weights look at the first word, the largest of equals: right for one word in each sentence.
    expect(baseline.alignmentAccuracy).toBeLessThan(0.3);
  });

  test("begins at the loss of a guess among all pieces, and reports each step", () => {
    expect(losses.length).toBe(300);
    expect(Math.abs(losses[0]! - Math.log(16))).toBeLessThan(0.2);
    expect(losses.at(-1)).toBeLessThan(0.1);
  });

  test("is marked by length, and on lengths that it never saw", () => {
    expect(Object.keys(attentive.exactByLength)).toEqual(["3", "4", "5", "6"]);
    expect(attentive.exactLonger).toBeLessThan(attentive.exact);
    expect(attentive.exactIdiom).toBeNaN();
  });
});

test(
  "a small model learns reordering, words that double or vanish, and the idiom",
  async () => {
    const options = { ...SMALL, language: idiomatic(), learningRate: 0.005 };
    const result = await trainToy({ ...options, score: "additive", style: "bahdanau" });
    expect(result.exact).toBeGreaterThanOrEqual(0.95);
    expect(result.exactIdiom).toBeGreaterThanOrEqual(0.95);
    expect(result.alignmentAccuracy).toBeGreaterThanOrEqual(0.9);
    expect(result.alignmentErrorRate).toBeLessThanOrEqual(0.1);
  },
  PATIENCE_MS,
);

test("the same options give the same metrics, another seed others", async () => {
  const metrics = async (seed: number) => {
    const losses: number[] = [];
    const onStep = (_: number, loss: number) => losses.push(loss);
    const language = localSwap(12);
    const result = await trainToy({
      language,
      score: "dot",
      width: 8,
      steps: 20,
      heldOut: 20,
      seed,
      onStep,
    });
    return { losses, ...result };
  };
  const first = await metrics(1);
  expect(await metrics(1)).toEqual(first);
  expect((await metrics(2)).losses).not.toEqual(first.losses);
});
