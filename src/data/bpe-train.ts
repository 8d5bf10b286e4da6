import { OptionError } from "../core/errors.ts";
import { Bpe, SPACE_MARK, SPECIAL_PIECES } from "./bpe.ts";
import { PAIR_BASE, PairHeap, pairKey } from "./pair-heap.ts";
import { preTokenize } from "./pretokenize.ts";

export interface BpeOptions {
  /** Ids in all: four special ones, the characters, the merges. The result has fewer when the text has no more to merge. */
  readonly vocabularySize: number;
  /** A pair that occurs less often is never merged. @default 2 */
  readonly minFrequency?: number;
  /** The part of all characters that the alphabet must cover, in (0, 1]; the rarest are left unknown. @default 0.99999 */
  readonly characterCoverage?: number;
}

/** A distinct unit of the corpus as symbol numbers, and how often it occurs. */
interface Word {
  symbols: number[];
  readonly count: number;
}

const UNKNOWN_SYMBOL = -1;

function countUnits(sentences: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const sentence of sentences) {
    if (sentence === "") continue;
    for (const unit of preTokenize(` ${sentence}`)) counts.set(unit, (counts.get(unit) ?? 0) + 1);
  }
  return counts;
}

/** The most frequent characters until they cover the asked part; equals in code point order. ▁ comes first. */
function chooseAlphabet(units: Map<string, number>, coverage: number): string[] {
  const counts = new Map<string, number>();
  let total = 0;
  for (const [unit, count] of units) {
    for (const character of unit) {
      if (character === " ") continue;
      counts.set(character, (counts.get(character) ?? 0) + count);
      total += count;
    }
  }
  const byCount = [...counts].sort(([a, m], [b, n]) => n - m || a.codePointAt(0)! - b.codePointAt(0)!);
  const alphabet = [SPACE_MARK];
  let covered = 0;
  for (const [character, count] of byCount) {
    if (covered >= coverage * total) break;
    if (character !== SPACE_MARK) alphabet.push(character);
    covered += count;
  }
  return alphabet;
}

/** Pair counts over all words, kept up to date merge by merge (Sennrich et al., their `learn_bpe.py` does the same). */
class PairCounts {
  readonly #words: Word[];
  readonly #counts = new Map<number, number>();
  readonly #where = new Map<number, Set<number>>();
  readonly #heap = new PairHeap();

  constructor(words: Word[]) {
    this.#words = words;
    for (let index = 0; index < words.length; index++) this.#count(index, 1);
    for (const [key, count] of this.#counts) this.#heap.push(count, key);
  }

  /** The most frequent pair of now. Entries of the heap are never below the true count; a stale one goes back lower. */
  best(): { count: number; key: number } | undefined {
    for (;;) {
      const top = this.#heap.pop();
      if (top === undefined) return undefined;
      const count = this.#counts.get(top.key) ?? 0;
      if (count === top.count) return top;
      if (count > 0 && count < top.count) this.#heap.push(count, top.key);
    }
  }

  merge(key: number, merged: number): void {
    const left = Math.floor(key / PAIR_BASE);
    const right = key % PAIR_BASE;
    const grown = new Set<number>();
    for (const index of this.#where.get(key) ?? []) {
      const word = this.#words[index]!;
      this.#count(index, -1);
      word.symbols = joinPair(word.symbols, left, right, merged);
      this.#count(index, 1, (pair) => {
        const touched = Math.floor(pair / PAIR_BASE) === merged || pair % PAIR_BASE === merged;
        if (touched) grown.add(pair);
      });
    }
    this.#where.delete(key);
    for (const pair of grown) this.#heap.push(this.#counts.get(pair)!, pair);
  }

  #count(index: number, sign: 1 | -1, onPair?: (key: number) => void): void {
    const { symbols, count } = this.#words[index]!;
    for (let i = 0; i + 1 < symbols.length; i++) {
      const left = symbols[i]!;
      const right = symbols[i + 1]!;
      if (left === UNKNOWN_SYMBOL || right === UNKNOWN_SYMBOL) continue;
      const key = pairKey(left, right);
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + sign * count);
      if (sign < 0) continue;
      let where = this.#where.get(key);
      if (where === undefined) {
        where = new Set();
        this.#where.set(key, where);
      }
      where.add(index);
      onPair?.(key);
    }
  }
}

function joinPair(symbols: readonly number[], left: number, right: number, merged: number): number[] {
  const joined: number[] = [];
  for (let i = 0; i < symbols.length; i++) {
    const joins = symbols[i] === left && symbols[i + 1] === right;
    joined.push(joins ? merged : symbols[i]!);
    if (joins) i++;
  }
  return joined;
}

function refuse(rule: string, got: number, remedy = "choose one in that range"): never {
  throw new OptionError("OPTION", { op: "trainBpe", rule, got, remedy });
}

function checkOptions(size: number, minFrequency: number, coverage: number): void {
  if (!Number.isInteger(size) || size < SPECIAL_PIECES.length + 1 || size >= PAIR_BASE) {
    refuse(`vocabularySize must be an integer from ${SPECIAL_PIECES.length + 1} to ${PAIR_BASE - 1}`, size);
  }
  if (!(minFrequency >= 1)) refuse("minFrequency must be at least 1", minFrequency);
  if (!(coverage > 0 && coverage <= 1)) refuse("characterCoverage must be in (0, 1]", coverage);
}

/**
 * Learns a byte-pair encoding from sentences, which should be normalised (`normalizeText`). Deterministic, and the
 * order of the sentences does not matter: counts decide and, between equal counts, the pair of the lower ids.
 *
 * @throws OptionError OPTION, also when the alphabet alone is larger than `vocabularySize`
 * @example
 * const bpe = trainBpe(pairs.flatMap((pair) => [pair.source, pair.target]), { vocabularySize: 6000 });
 */
export function trainBpe(sentences: Iterable<string>, options: BpeOptions): Bpe {
  const { vocabularySize, minFrequency = 2, characterCoverage = 0.99999 } = options;
  checkOptions(vocabularySize, minFrequency, characterCoverage);
  const units = countUnits(sentences);
  const alphabet = chooseAlphabet(units, characterCoverage);
  const symbols = [...alphabet];
  const room = vocabularySize - SPECIAL_PIECES.length;
  if (symbols.length > room) {
    const least = symbols.length + SPECIAL_PIECES.length;
    const rule = `vocabularySize must hold the special pieces and the alphabet, ${least}`;
    refuse(rule, vocabularySize, "raise it or lower characterCoverage");
  }
  const ids = new Map(symbols.map((symbol, id) => [symbol, id]));
  const pairs = new PairCounts([...units].map(([unit, count]) => ({ symbols: toSymbols(unit, ids), count })));
  const merges: string[] = [];
  while (symbols.length < room) {
    const best = pairs.best();
    if (best === undefined || best.count < minFrequency) break;
    const left = symbols[Math.floor(best.key / PAIR_BASE)]!;
    const right = symbols[best.key % PAIR_BASE]!;
    merges.push(`${left} ${right}`);
    // Two ways of making one piece ("a"+"bc", "ab"+"c") share its id.
    let merged = ids.get(left + right);
    if (merged === undefined) {
      merged = symbols.push(left + right) - 1;
      ids.set(left + right, merged);
    }
    pairs.merge(best.key, merged);
  }
  return Bpe.fromParts(alphabet, merges);
}

function toSymbols(unit: string, ids: Map<string, number>): number[] {
  return Array.from(unit, (character) => {
    if (character === SPACE_MARK) return UNKNOWN_SYMBOL;
    return ids.get(character === " " ? SPACE_MARK : character) ?? UNKNOWN_SYMBOL;
  });
}
