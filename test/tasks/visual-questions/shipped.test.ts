import { afterAll, beforeAll, expect, test } from "vitest";
import {
  evaluateQuestions,
  loadAnswerer,
  MajorityAnswers,
  majorityOf,
  type QuestionAnswerer,
  readQuestionCorpus,
  readQuestionRows,
} from "../../../src/tasks/index.ts";
import { itWithData } from "../../support/shared-data.ts";

let answerer: QuestionAnswerer;
beforeAll(async () => {
  answerer = await loadAnswerer();
});
afterAll(() => answerer.dispose());

test("the shipped model's card says where it came from, beside the baseline; words look at their items", () => {
  const { card } = answerer;
  expect(card.data).toMatchObject({ name: "fashion-mnist", licence: "MIT" });
  expect(card.data.attribution).toContain("Fashion-MNIST");
  const { accuracy, majority, mass } = card.metrics!;
  expect(accuracy).toBeGreaterThanOrEqual(0.95);
  expect(majority).toBeLessThan(0.6);
  expect(mass).toBeGreaterThan(0.6);
});

itWithData("fashion-mnist")(
  "some of the card's figures, made again of the first test scenes",
  async (folder) => {
    const { training, metrics } = answerer.card;
    const corpus = await readQuestionCorpus(folder, { ...training.recipe, testScenes: 120 });
    const { accuracy, mass, majority } = evaluateQuestions(answerer, corpus.held("test"), majorityOf(corpus));
    // 720 of 6,000 questions: seven deviations of their share, as questions about one scene go together.
    expect(Math.abs(accuracy - metrics!.accuracy)).toBeLessThan(0.06);
    expect(Math.abs(mass! - metrics!.mass!)).toBeLessThan(0.05);
    expect(Math.abs(majority - metrics!.majority)).toBeLessThan(0.08);
  },
  60_000,
);

test("an answer does not depend on the pictures beside it, bit for bit", () => {
  const pictures = Array.from({ length: 5 }, (_, n) =>
    Uint8Array.from({ length: 64 * 64 }, (_, at) => (n * 31 + at * 7) % 251),
  );
  const together = answerer.answerEach("How many bags are there?", pictures);
  for (const [n, pixels] of pictures.entries())
    expect(answerer.answer("How many bags are there?", pixels)).toEqual(together[n]);
});

itWithData("nlvr")(
  "of real pictures the shipped model has the honest figure of its card, that of the majority",
  async (folder) => {
    const real = await loadAnswerer("visual-questions-nlvr");
    const { data, metrics, training } = real.card;
    expect(data).toMatchObject({ name: "nlvr", licence: "CC BY 4.0" });
    const { rows } = await readQuestionRows(folder, "valid", real.card.image);
    const { questions, accuracy, mass } = evaluateQuestions(real, rows, new MajorityAnswers([]));
    expect([questions, mass]).toEqual([150, null]);
    expect(accuracy).toBeCloseTo(training.validation.accuracy, 2);
    // 471 of the 865 statements of the test are true.
    expect(metrics).toMatchObject({ questions: 865, majority: 471 / 865 });
    real.dispose();
  },
  60_000,
);
