import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { useHeedBackend } from "../../../src/host/select.ts";
import { groundedWords, groundingLoss, sharesInside } from "../../../src/tasks/visual-questions/grounding.ts";
import { MajorityAnswers } from "../../../src/tasks/visual-questions/index.ts";

beforeAll(() => useHeedBackend());

const question = (text: string, answer = "yes") =>
  ({ question: text, answer, kind: "row", named: [] }) as const;

test("of each cell the share inside a box", () => {
  // The left quarter of three columns: three quarters of the first, of both rows.
  expect([...sharesInside([0.125, 0.5, 0.25, 1], [2, 3])]).toEqual([0.75, 0, 0, 0.75, 0, 0]);
});

test("the loss is −Σ log of what a word's heads have on its item, by hand", () => {
  const box = [0.25, 0.5, 0.5, 1] as const; // the left one of two cells
  const asked = [question("a"), { ...question("is b"), named: [{ word: 1, box }] }];
  const grounded = groundedWords(asked, [1, 2]);
  expect([...grounded.words]).toEqual([1, 2]);
  expect([...grounded.inside]).toEqual([1, 0]);
  // [N, H, T, S] = [2, 2, 3, 2]: of question 1, word 2, the heads have 0.5 and 0.3 on the left.
  const weights = tf.buffer([2, 2, 3, 2]);
  weights.set(0.5, 1, 0, 2, 0);
  weights.set(0.3, 1, 1, 2, 0);
  weights.set(0.7, 1, 1, 2, 1);
  const loss = groundingLoss(weights.toTensor() as tf.Tensor4D, grounded);
  expect(loss.dataSync()[0]).toBeCloseTo(-Math.log(0.4), 4);
});

test("the baseline says the commonest answer to the very question, or else of all; equals by their letters", () => {
  const majority = new MajorityAnswers([
    {
      pixels: new Uint8Array(),
      questions: [question("a?", "no"), question("a?", "yes"), question("a?", "yes")],
    },
    { pixels: new Uint8Array(), questions: [question("b?", "2"), question("b?", "1"), question("c?", "no")] },
    { pixels: new Uint8Array(), questions: [question("c?", "no")] },
  ]);
  expect(["a?", "b?", "c?", "d?"].map((text) => majority.to(text))).toEqual(["yes", "1", "no", "no"]);
});
