import path from "node:path";
import { RandomStream } from "../../../core/random.ts";
import type { TokenPair } from "../../../data/batching.ts";
import { hashedOrder, rowsChecksum } from "../../../data/rows.ts";
import { readPairs, type SentencePair } from "../../../data/tsv.ts";
import type { Referenced } from "../../references.ts";
import { readReferenced } from "../corpus.ts";
import type { TargetLanguage } from "../text/language.ts";
import { normalizeEnglish } from "../text/normalize.ts";
import { protectPair } from "../text/pair.ts";
import type { Kind } from "../text/placeholders.ts";
import { countWords, type Vocabulary } from "../text/vocabulary.ts";
import type { Lexicon } from "./lexicon.ts";
import { readPhrases } from "./phrases.ts";
import { JointPieces } from "./pieces.ts";
import type { MultilingualRecipe } from "./recipe.ts";

/** The sentences of one target language. */
export interface LanguageCorpus {
  to: TargetLanguage;
  pairs: TokenPair[];
  validation: Referenced[];
  /** `rowsChecksum` of its training rows, by which the catalogue knows them. */
  checksum: string;
}

/** What training reads. */
export interface MultilingualCorpus extends Lexicon {
  /** In the order of the recipe's languages. */
  languages: LanguageCorpus[];
  /** Of all training rows. */
  checksum: string;
}

/** Words that are rarer are names to a reader of the model. */
const LEAST_COUNT = 2;
/** The stream of each language's random choices, clear of those that batches and weights begin with. */
const FIRST_STREAM = 2 ** 42;

/** Kinds that enough rows have. */
const COMMON: ReadonlySet<Kind> = new Set(["man", "woman", "name", "place", "number"]);

/** The folder of one language's splits, in the folder of all. */
export function languageFolder(dataDir: string, data: string, to: TargetLanguage): string {
  return path.join(dataDir, `${data}-${to}`);
}

/**
 * Reads the training splits, puts placeholders into them, learns the pieces and encodes.
 *
 * @param lexicon of the model that training begins with; learnt from the sentences where there is none
 */
export function readCorpus(
  dataDir: string,
  recipe: MultilingualRecipe,
  lexicon?: Lexicon,
): MultilingualCorpus {
  const { data, languages, maxPieces } = recipe;
  const read = languages.map((to) => {
    const folder = languageFolder(dataDir, data, to);
    // One order for one set of rows, however the file has them: batches, and so the model, depend on it.
    const train = hashedOrder(readPairs(path.join(folder, "train.tsv.gz")));
    const spoken = recipe.phrases > 0 ? readPhrases(to) : [];
    const all = [...train, ...Array.from({ length: recipe.phrases }, () => spoken).flat()];
    return { to, train, spoken, all, validation: readReferenced(folder, "valid") };
  });
  const checksum = rowsChecksum(read.flatMap(({ all }) => all));
  const words = knownWords(
    read.map(({ train }) => train),
    read.map(({ spoken }) => spoken),
    lexicon?.words,
  );
  const protectedRows = read.map(({ to, all }, n) => ({ to, rows: protectRows(all, to, words, recipe, n) }));
  const pieces = lexicon?.pieces ?? learnPieces(protectedRows, recipe.vocabulary);
  const encoded = protectedRows.map(({ to, rows }, n) => {
    const pairs = rows
      .map(({ source, target }) => ({
        source: pieces.encodeSource(source, to).ids,
        target: pieces.encodeTarget(target),
      }))
      .filter(({ source, target }) => source.length <= maxPieces && target.length <= maxPieces);
    const { train, validation } = read[n]!;
    return { to, pairs, validation, checksum: rowsChecksum(train) };
  });
  return { pieces, words, languages: encoded, checksum };
}

/**
 * The English words that a model has seen often enough: in the sentences, each of which counts once however many languages
 * have it; in phrases, which come again and again; and where training goes on, before. A name of a phrase stays a name.
 */
function knownWords(
  train: readonly (readonly SentencePair[])[],
  spoken: readonly (readonly SentencePair[])[],
  before: Vocabulary = new Map(),
): Vocabulary {
  const sourcesOf = (rows: typeof train) => new Set(rows.flat().map(({ source }) => source));
  const inPhrases = [...countWords(sourcesOf(spoken))].filter(([word]) => word === word.toLowerCase());
  const words = new Map(before);
  for (const [word, count] of [...countWords(sourcesOf(train), LEAST_COUNT), ...inPhrases])
    words.set(word, Math.max(count, words.get(word) ?? 0));
  return words;
}

/**
 * Rows with placeholders. What is drawn at random teaches what readers bring: number words stay words in half of the rows,
 * and some people and places become plain names, as those are that no list has. Rows with a price, a time or another kind
 * that few rows have come several times, with other slots.
 */
function protectRows(
  rows: readonly SentencePair[],
  to: TargetLanguage,
  vocabulary: Vocabulary,
  { seed, wordNumbers, blur, repeatRare }: MultilingualRecipe,
  index: number,
): SentencePair[] {
  const random = new RandomStream(seed, FIRST_STREAM + index);
  const protectRow = ({ source, target }: SentencePair) => {
    const words = random.uniform() < wordNumbers;
    return protectPair(normalizeEnglish(source), target, to, { vocabulary, words, random, blur });
  };
  return rows.flatMap((row) => {
    const first = protectRow(row);
    if (first.values.every(({ kind }) => COMMON.has(kind))) return [first];
    return [first, ...Array.from({ length: repeatRare }, () => protectRow(row))];
  });
}

function learnPieces(read: readonly { to: TargetLanguage; rows: SentencePair[] }[], size: number) {
  const sources = new Set(read.flatMap(({ rows }) => rows.map(({ source }) => source)));
  const targets = read.map(({ to, rows }) => ({ to, texts: rows.map(({ target }) => target) }));
  return JointPieces.learn([...sources], targets, size);
}
