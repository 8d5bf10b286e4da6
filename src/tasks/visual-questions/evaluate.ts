import { DataError } from "../../core/errors.ts";
import { massInside } from "../scenes/cells.ts";
import type { AnsweredQuestion, QuestionAnswerer } from "./answerer.ts";
import type { AskedPicture, PictureQuestion } from "./corpus.ts";
import type { MajorityAnswers } from "./majority.ts";

/** Right answers of a share of questions, beside what needs no picture. */
export interface Score {
  questions: number;
  /** The share whose answer is exactly right. */
  accuracy: number;
  /** The same, of the commonest answer in training to the very same question; of questions that are new, of all. */
  majority: number;
}

/** How well the questions of a split are answered. */
export interface Evaluation extends Score {
  pictures: number;
  /** By kind of question. */
  kinds: Record<string, Score>;
  /** Mean mass of words of items on their item, in the first layer; null where no item is known. */
  mass: number | null;
  seconds: number;
}

const BATCH_PICTURES = 50;

/**
 * Answers every question of a split and counts what is right, and how much of what the words of items look at lies on their
 * items.
 *
 * @throws DataError SHAPE where there is no question
 */
export function evaluate(
  answerer: QuestionAnswerer,
  split: readonly AskedPicture[],
  majority: MajorityAnswers,
): Evaluation {
  const begun = performance.now();
  const scores = new Map<string, { right: number; majority: number; all: number }>();
  const total = { right: 0, majority: 0, all: 0 };
  const masses: number[] = [];
  for (let from = 0; from < split.length; from += BATCH_PICTURES) {
    const batch = split.slice(from, from + BATCH_PICTURES);
    const asked = batch.flatMap(({ questions }) => questions);
    for (const [n, answered] of answerer.answerAll(batch).entries()) {
      const { question, answer, kind } = asked[n]!;
      const ofKind = scores.get(kind) ?? { right: 0, majority: 0, all: 0 };
      scores.set(kind, ofKind);
      for (const count of [total, ofKind]) {
        count.all++;
        if (answered.answer === answer) count.right++;
        if (majority.to(question) === answer) count.majority++;
      }
      masses.push(...massesOf(asked[n]!, answered));
    }
  }
  if (total.all === 0) {
    const fault = { op: "evaluate", rule: "a split must have a question", got: "none" };
    throw new DataError("SHAPE", { ...fault, remedy: "give another one" });
  }
  const score = ({ right, majority: by, all }: typeof total): Score => ({
    questions: all,
    accuracy: right / all,
    majority: by / all,
  });
  return {
    pictures: split.length,
    ...score(total),
    kinds: Object.fromEntries([...scores].sort().map(([kind, counts]) => [kind, score(counts)])),
    mass: masses.length > 0 ? masses.reduce((sum, mass) => sum + mass, 0) / masses.length : null,
    seconds: (performance.now() - begun) / 1000,
  };
}

const massesOf = ({ named }: PictureQuestion, { maps, grid }: AnsweredQuestion): number[] =>
  named.map(({ word, box }) => massInside(maps[word]!, grid, box));
