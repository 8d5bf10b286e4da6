import { existsSync } from "node:fs";
import { RandomStream } from "../../core/random.ts";
import { locateImages } from "../../data/labelled-images.ts";
import { locateDataset } from "../../data/locate.ts";
import type { BoundingBox } from "../../models/set/bounding-boxes.ts";
import { scenesAt } from "../scenes/batches.ts";
import { SCENE_SIDE, type Scene } from "../scenes/compose.ts";
import { type ItemPool, readItemPools } from "../scenes/item-pool.ts";
import { allQuestions, answersFor, pluralOf, type QuestionKind, questionsOf } from "./questions.ts";
import type { VisualQuestionsRecipe } from "./recipe.ts";
import { readRows, rowsFile } from "./rows.ts";
import { QuestionVocabulary, splitQuestion } from "./words.ts";

/** One question about a picture, and what is known of it. */
export interface PictureQuestion {
  readonly question: string;
  readonly answer: string;
  /** "row" of questions that people wrote. */
  readonly kind: QuestionKind | "row";
  /** Where the items lie that words of the question mean, as far as that is known. */
  readonly named: readonly { readonly word: number; readonly box: BoundingBox }[];
}

/** A grey picture and questions about it. */
export interface AskedPicture {
  /** Of training pictures: equal numbers are the same picture. */
  readonly number?: number;
  /** [height, width], 0 … 255. */
  readonly pixels: Uint8Array;
  readonly questions: readonly PictureQuestion[];
}

/** What training and evaluation read. */
export interface QuestionCorpus {
  /** Scenes that are composed, or rows that people wrote. */
  readonly source: "scenes" | "rows";
  readonly height: number;
  readonly width: number;
  readonly vocabulary: QuestionVocabulary;
  /** T, at least that of the recipe. */
  readonly positions: number;
  readonly answers: readonly string[];
  /** Words of which a question must have one, of scenes. */
  readonly nouns: readonly string[];
  /** Pictures of an epoch. */
  readonly epochPictures: number;
  readonly checksum: string;
  /**
   * Training pictures `n` … `n + count − 1` of the whole run. Of scenes those of an epoch come again in each, but where they
   * are to be fresh: then number n comes once.
   */
  train(n: number, count: number, options?: { readonly fresh?: boolean }): AskedPicture[];
  /** The pictures of another split, always the same ones. */
  held(split: "valid" | "test"): AskedPicture[];
}

/**
 * The folder of a data set: pictures with questions, or images that scenes are composed of.
 *
 * @throws FileError MISSING
 */
export function locateQuestions(name: string, source: QuestionCorpus["source"]): string {
  if (source === "scenes") return locateImages(name);
  return locateDataset(name, { files: QUESTION_SPLITS.map((split) => `${split}.jsonl.gz`) });
}

type Reading = Pick<
  VisualQuestionsRecipe,
  "seed" | "model" | "epochScenes" | "sceneQuestions" | "validationScenes" | "testScenes"
>;

/** Streams from here on belong to the orders of epochs, and to the questions about scenes. */
const ORDERS = 2 ** 41;
const QUESTIONS = 2 ** 42;
/** Of the scenes of another split, always the same. */
const EVALUATION_SEED = 0;
/** A word of a person's question counts from here on. */
const LEAST_ROWS = 2;
const MOST_POSITIONS = 64;
const QUESTION_SPLITS = ["train", "valid", "test"] as const;

/**
 * Reads what a folder has: pictures with questions where it has train.jsonl or train.jsonl.gz, or else the four files of
 * MNIST or one of its kin, of whose images scenes are composed.
 *
 * @throws FileError UNREADABLE · DataError FORMAT, DAMAGED, LIMIT, SHAPE, MISMATCH
 */
export async function readCorpus(dataDir: string, recipe: Reading): Promise<QuestionCorpus> {
  return existsSync(rowsFile(dataDir, "train")) ? rowsCorpus(dataDir, recipe) : scenesCorpus(dataDir, recipe);
}

function scenesCorpus(dataDir: string, recipe: Reading): QuestionCorpus {
  const pools = readItemPools(dataDir);
  const { names } = pools.train;
  const { seed, epochScenes, sceneQuestions, validationScenes, testScenes } = recipe;
  const questions = allQuestions(names);
  const counts = { valid: validationScenes, test: testScenes };
  const order = new EpochOrder(epochScenes, seed);
  const scenes: Scene[] = [];
  return {
    source: "scenes",
    ...{ height: SCENE_SIDE, width: SCENE_SIDE },
    vocabulary: QuestionVocabulary.of(questions),
    positions: positionsFor(questions, recipe.model.positions),
    answers: answersFor(names),
    nouns: names.flatMap((name) => [name, pluralOf(name)]),
    epochPictures: epochScenes,
    checksum: pools.checksum,
    train(n, count, { fresh = false } = {}) {
      return Array.from({ length: count }, (_, i) => {
        if (fresh) return freshScene(pools.train, seed, n + i, sceneQuestions);
        const { epoch, number } = order.at(n + i);
        scenes[number] ??= scenesAt(pools.train, seed, number, 1)[0]!;
        const random = new RandomStream(seed, QUESTIONS + epoch * epochScenes + number);
        return { number, ...askedScene(scenes[number], names, random, sceneQuestions) };
      });
    },
    held: (split) => askedScenes(pools[split], counts[split], sceneQuestions),
  };
}

/** The first scenes of a pool with questions, always the same ones. */
function askedScenes(pool: ItemPool, count: number, questions: number): AskedPicture[] {
  return scenesAt(pool, EVALUATION_SEED, 0, count).map((scene, n) => {
    const random = new RandomStream(EVALUATION_SEED, QUESTIONS + n);
    return askedScene(scene, pool.names, random, questions);
  });
}

/** Scene number `n` of a run, which comes once. */
function freshScene(pool: ItemPool, seed: number, n: number, questions: number): AskedPicture {
  const [scene] = scenesAt(pool, seed, n, 1);
  return askedScene(scene!, pool.names, new RandomStream(seed, QUESTIONS + n), questions);
}

function askedScene(
  scene: Scene,
  names: readonly string[],
  random: RandomStream,
  count: number,
): AskedPicture {
  const questions = questionsOf(scene, names, random, count).map(({ named, ...rest }) => ({
    ...rest,
    named: named.map(({ word, item }) => ({ word, box: scene.items[item]!.box })),
  }));
  return { pixels: scene.pixels, questions };
}

/** The order of the pictures in each epoch. */
class EpochOrder {
  readonly #count: number;
  readonly #seed: number;
  #epoch = -1;
  #order = new Int32Array(0);

  constructor(count: number, seed: number) {
    this.#count = count;
    this.#seed = seed;
  }

  at(n: number): { epoch: number; number: number } {
    const epoch = Math.floor(n / this.#count);
    if (epoch !== this.#epoch) {
      const random = new RandomStream(this.#seed, ORDERS + epoch);
      this.#order = random.shuffle(Int32Array.from({ length: this.#count }, (_, i) => i));
      this.#epoch = epoch;
    }
    return { epoch, number: this.#order[n % this.#count]! };
  }
}

async function rowsCorpus(dataDir: string, recipe: Reading): Promise<QuestionCorpus> {
  const { rows, height, width, checksum } = await readRows(dataDir, "train");
  const others = {
    valid: (await readRows(dataDir, "valid", { height, width })).rows,
    test: (await readRows(dataDir, "test", { height, width })).rows,
  };
  const asked = rows.flatMap(({ questions }) => questions);
  const texts = asked.map(({ question }) => question);
  const order = new EpochOrder(rows.length, recipe.seed);
  return {
    source: "rows",
    ...{ height, width },
    vocabulary: QuestionVocabulary.of(texts, LEAST_ROWS),
    positions: positionsFor(texts, recipe.model.positions),
    answers: [...new Set(asked.map(({ answer }) => answer))].sort(),
    nouns: [],
    epochPictures: rows.length,
    checksum,
    train: (n, count) =>
      Array.from({ length: count }, (_, i) => {
        const { number } = order.at(n + i);
        return { number, ...rows[number]! };
      }),
    held: (split) => others[split],
  };
}

/** Positions for the longest of these questions and its mark. */
const positionsFor = (questions: readonly string[], least: number): number =>
  Math.min(
    MOST_POSITIONS,
    questions.reduce((most, question) => Math.max(most, splitQuestion(question).length + 1), least),
  );
