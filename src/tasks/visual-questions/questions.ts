import type { RandomStream } from "../../core/random.ts";
import type { Scene } from "../scenes/compose.ts";
import { relationsOf } from "../scenes/relations.ts";
import { splitQuestion } from "./words.ts";

/** What a question asks for. */
export type QuestionKind = "beside" | "exists" | "count" | "relation" | "name";

/** A question about a scene that has one right answer. */
export interface SceneQuestion {
  readonly question: string;
  readonly answer: string;
  readonly kind: QuestionKind;
  /** What words of the question mean, where that is one item of the scene: the number of the word, and of the item. */
  readonly named: readonly { readonly word: number; readonly item: number }[];
}

type Direction = "left" | "right" | "above" | "below";

/** How each direction is said, the first one half of the time. */
const SAID: Readonly<Record<Direction, readonly string[]>> = {
  left: ["left of", "to the left of"],
  right: ["right of", "to the right of"],
  above: ["above", "over"],
  below: ["below", "under"],
};
const DIRECTIONS = Object.keys(SAID) as Direction[];
export const NOTHING = "nothing";
const [YES, NO] = ["yes", "no"];
const MOST_ITEMS = 4;
/** Nothing is left of an item where no other's middle is further to the left than this share of the side. */
const BESIDE = 0.12;
/** How often each kind is tried: those that not every scene allows more often. */
const KINDS: readonly QuestionKind[] = [
  "beside",
  "beside",
  "relation",
  "relation",
  "exists",
  "count",
  "name",
];
/** How often for each question a new one is looked for. */
const TRIES = 5;

/** The answers to questions about items of these names. */
export const answersFor = (names: readonly string[]): string[] => [
  ...[YES!, NO!, NOTHING],
  ...Array.from({ length: MOST_ITEMS + 1 }, (_, n) => String(n)),
  ...names.filter((name) => !/^[0-4]$/.test(name)),
];

export const pluralOf = (name: string): string => (/(s|sh|ch|x)$/.test(name) ? `${name}es` : `${name}s`);

/** Every form of question about these names. */
export function allQuestions(names: readonly string[]): string[] {
  const directions = DIRECTIONS.flatMap((direction) => SAID[direction]);
  return names.flatMap((name) => [
    ...directions.map((said) => `what is ${said} the ${name}?`),
    ...directions.map((said) => `is the ${name} ${said} the ${name}?`),
    `is there a ${name}?`,
    `is there a ${name} in the picture?`,
    `how many ${pluralOf(name)} are there?`,
    "what is in the picture?",
  ]);
}

/**
 * Questions about a scene, drawn by chance: what lies beside an item, whether there is one, how many, whether one lies so to
 * another, and of a single item what it is.
 *
 *     what is left of the bag?  ·  is there a coat?  ·  how many sandals are there?  ·  is the bag above the coat?
 *
 * Only questions with one right answer are asked: of an item by its class where the class is there once; of what lies beside
 * it where `relationsOf` has one such item, or none and no other lies on that side at all ("nothing"); whether one lies so to
 * another where they lie so or the other way round. Half of the answers to "is" are yes.
 *
 * @param names of the classes that may be asked for
 */
export function questionsOf(
  scene: Scene,
  names: readonly string[],
  random: RandomStream,
  count: number,
): SceneQuestion[] {
  const asked: SceneQuestion[] = [];
  for (let tries = 0; asked.length < count; tries++) {
    const kind = KINDS[random.integer(KINDS.length)]!;
    const made = questionOf(scene, names, kind, random);
    const isNew = asked.every(({ question }) => question !== made?.question);
    if (made && isNew) asked.push(made);
    // Of one item there is not much to ask.
    else if (tries > TRIES * count) asked.push(exists(scene, names, random));
  }
  return asked;
}

function questionOf(scene: Scene, names: readonly string[], kind: QuestionKind, random: RandomStream) {
  if (kind === "beside") return beside(scene, random);
  if (kind === "count") return howMany(scene, names, random);
  if (kind === "relation") return relation(scene, random);
  if (kind === "name") return whatIsIt(scene);
  return exists(scene, names, random);
}

const pick = <T>(list: readonly T[], random: RandomStream): T => list[random.integer(list.length)]!;

/** Numbers of the items whose class is there once. */
const singleItems = ({ items }: Scene): number[] =>
  items.flatMap(({ label }, n) => (items.filter((other) => other.label === label).length === 1 ? [n] : []));

/** A question made of parts: words, and numbers of items that it names. */
function asking(
  kind: QuestionKind,
  { items }: Scene,
  parts: readonly (string | number)[],
  answer: string,
): SceneQuestion {
  const named: { word: number; item: number }[] = [];
  let words = 0;
  const texts = parts.map((part) => {
    if (typeof part === "number") named.push({ word: words, item: part });
    const text = typeof part === "number" ? items[part]!.name : part;
    words += splitQuestion(text).length;
    return text;
  });
  return { question: `${texts.filter((text) => text !== "").join(" ")}?`, answer, kind, named };
}

function beside(scene: Scene, random: RandomStream): SceneQuestion | undefined {
  const single = singleItems(scene);
  if (single.length === 0) return undefined;
  const item = pick(single, random);
  const direction = pick(DIRECTIONS, random);
  const others = itemsBeside(scene, item, direction);
  const isClear = others.length === 1 || (others.length === 0 && isOutermost(scene, item, direction));
  if (!isClear) return undefined;
  const [other] = others;
  const answer = other === undefined ? NOTHING : scene.items[other]!.name;
  // Every scene has items at its edge, beside which there is nothing: most of those questions are left out.
  if (other === undefined && random.integer(4) > 0) return undefined;
  return asking("beside", scene, ["what is", pick(SAID[direction], random), "the", item], answer);
}

/** The items that lie in a direction of another. */
function itemsBeside(scene: Scene, item: number, direction: Direction): number[] {
  const name = direction === "left" || direction === "right" ? "left of" : "above";
  const isSubject = direction === "left" || direction === "above";
  return relationsOf(scene).flatMap(({ subject, relation, object }) => {
    if (relation !== name) return [];
    if (isSubject) return object === item ? [subject] : [];
    return subject === item ? [object] : [];
  });
}

function isOutermost({ items }: Scene, item: number, direction: Direction): boolean {
  const along = (n: number) => {
    const [x, y] = items[n]!.box;
    return { left: -x, right: x, above: -y, below: y }[direction];
  };
  return items.every((_, n) => n === item || along(n) - along(item) < BESIDE);
}

function exists(scene: Scene, names: readonly string[], random: RandomStream): SceneQuestion {
  const { items } = scene;
  const where = pick(["", "in the picture"], random);
  const absent = names.filter((name) => items.every((item) => item.name !== name));
  if (absent.length > 0 && random.integer(2) === 0)
    return asking("exists", scene, ["is there a", pick(absent, random), where], NO!);
  const item = random.integer(items.length);
  const isSingle = singleItems(scene).includes(item);
  return asking("exists", scene, ["is there a", isSingle ? item : items[item]!.name, where], YES!);
}

function howMany(scene: Scene, names: readonly string[], random: RandomStream): SceneQuestion {
  const { items } = scene;
  // Of a class that is there, but for one time in five: none of most classes is.
  const name = random.integer(5) === 0 ? pick(names, random) : pick(items, random).name;
  const answer = String(items.filter((item) => item.name === name).length);
  return asking("count", scene, ["how many", pluralOf(name), "are there"], answer);
}

function relation(scene: Scene, random: RandomStream): SceneQuestion | undefined {
  const single = singleItems(scene);
  const all = relationsOf(scene).filter(({ subject, object }) =>
    [subject, object].every((n) => single.includes(n)),
  );
  if (all.length === 0) return undefined;
  const { subject, relation: name, object } = pick(all, random);
  const [first, second]: readonly Direction[] = name === "left of" ? ["left", "right"] : ["above", "below"];
  const [isTrue, isTurned] = [random.integer(2) === 0, random.integer(2) === 0];
  const [item, other] = isTurned ? [object, subject] : [subject, object];
  const said = pick(SAID[isTrue === isTurned ? second! : first!], random);
  return asking("relation", scene, ["is the", item, said, "the", other], isTrue ? YES! : NO!);
}

function whatIsIt(scene: Scene): SceneQuestion | undefined {
  const [item, ...others] = scene.items;
  return item && others.length === 0
    ? asking("name", scene, ["what is in the picture"], item.name)
    : undefined;
}
