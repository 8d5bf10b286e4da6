import { beforeAll, expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { ItemPool, type Scene, scenesAt } from "../../../src/tasks/scenes/index.ts";
import {
  allQuestions,
  answersFor,
  QuestionVocabulary,
  questionsOf,
  type SceneQuestion,
  splitQuestion,
} from "../../../src/tasks/visual-questions/index.ts";
import { tinyItems } from "../scenes/fixture.ts";

const NAMES = ["bag", "coat", "torch"];
const PLURALS: Record<string, string> = { bags: "bag", coats: "coat", torches: "torch" };
let asked: { scene: Scene; question: SceneQuestion }[];
beforeAll(() => {
  const pool = ItemPool.of(
    tinyItems(30),
    NAMES.map((name, label) => ({ name, label })),
  );
  asked = scenesAt(pool, 5, 0, 400).flatMap((scene, n) =>
    questionsOf(scene, NAMES, new RandomStream(5, n), 3).map((question) => ({ scene, question })),
  );
});

type Item = Scene["items"][number];

/** How far the middle of an item lies in a direction from another's, as a share of the side. */
function along(said: string, item: Item, other: Item): number {
  const [dx, dy] = [other.box[0] - item.box[0], other.box[1] - item.box[1]];
  if (said.endsWith("left of")) return dx;
  if (said.endsWith("right of")) return -dx;
  return ["above", "over"].includes(said) ? dy : -dy;
}

/** The answer by the words of the question and the boxes of the items alone: another way than the generator's. */
function oracle({ items }: Scene, question: string): string | undefined {
  const [, beside, name] = /^what is (?!in )(.*) the (\w+)\?$/.exec(question) ?? [];
  if (beside !== undefined) {
    const item = items.find((one) => one.name === name)!;
    // Beside: further in that direction than across it.
    const others = items.filter((other) => {
      const [dx, dy] = [Math.abs(other.box[0] - item.box[0]), Math.abs(other.box[1] - item.box[1])];
      const across = /left|right/.test(beside) ? dy : dx;
      return other !== item && along(beside, other, item) > Math.max(0.12, across);
    });
    return others.length > 1 ? undefined : (others[0]?.name ?? "nothing");
  }
  const [, first, said, second] = /^is the (\w+) (.*) the (\w+)\?$/.exec(question) ?? [];
  if (first !== undefined) {
    const [a, b] = [first, second].map((of) => items.find((one) => one.name === of)!);
    return along(said!, a!, b!) > 0 ? "yes" : "no";
  }
  const [, sought] = /^is there a (\w+)( in the picture)?\?$/.exec(question) ?? [];
  if (sought !== undefined) return items.some((one) => one.name === sought) ? "yes" : "no";
  const [, counted] = /^how many (\w+) are there\?$/.exec(question) ?? [];
  if (counted !== undefined) return String(items.filter((one) => one.name === PLURALS[counted]).length);
  expect(question).toBe("what is in the picture?");
  return items.length === 1 ? items[0]!.name : undefined;
}

test("every question has the answer that its words and the boxes give", () => {
  for (const { scene, question } of asked) {
    const { question: text, answer } = question;
    expect(answersFor(NAMES)).toContain(answer);
    const expected = oracle(scene, text);
    // Items on a diagonal are beside nothing, whichever way they lean: only the generator's arrangement tells.
    const isLeaning = expected !== answer && question.kind === "beside" && scene.items.length > 2;
    if (!isLeaning) expect(answer, `${text} ${JSON.stringify(scene.items)}`).toBe(expected);
  }
  const unlike = asked.filter(({ scene, question }) => oracle(scene, question.question) !== question.answer);
  expect(unlike.length / asked.length).toBeLessThan(0.06);
});

test("a word that means an item stands where it is said to, and names one item alone", () => {
  for (const { scene, question } of asked) {
    const words = splitQuestion(question.question);
    for (const { word, item } of question.named) {
      const { name } = scene.items[item]!;
      expect(words[word]).toBe(name);
      expect(scene.items.filter((one) => one.name === name)).toHaveLength(1);
    }
    const isOfItems = question.kind === "beside" || question.kind === "relation";
    expect(question.named.length >= (question.kind === "relation" ? 2 : isOfItems ? 1 : 0)).toBe(true);
  }
});

test("all kinds are asked, no question gives its answer away, and the list of questions has each", () => {
  const kinds = new Map<string, Set<string>>();
  const counts = { yes: 0, no: 0 };
  for (const { question } of asked) {
    const { kind, answer } = question;
    kinds.set(kind, (kinds.get(kind) ?? new Set()).add(answer));
    if (answer === "yes" || answer === "no") counts[answer]++;
  }
  expect([...kinds.keys()].sort()).toEqual(["beside", "count", "exists", "name", "relation"]);
  for (const answers of kinds.values()) expect(answers.size).toBeGreaterThan(1);
  expect(counts.yes / (counts.yes + counts.no)).toBeGreaterThan(0.4);
  expect(counts.yes / (counts.yes + counts.no)).toBeLessThan(0.6);
  const vocabulary = QuestionVocabulary.of(allQuestions(NAMES));
  for (const { question } of asked) expect(vocabulary.sort(question.question).unknown).toEqual([]);
});

test("the same numbers give the same questions, and a scene is asked several", () => {
  const pool = ItemPool.of(
    tinyItems(30),
    NAMES.map((name, label) => ({ name, label })),
  );
  const [scene] = scenesAt(pool, 9, 0, 1, { least: 4, most: 4 });
  const draw = () => questionsOf(scene!, NAMES, new RandomStream(2, 3), 6);
  expect(draw()).toEqual(draw());
  expect(new Set(draw().map(({ question }) => question)).size).toBeGreaterThan(2);
});
