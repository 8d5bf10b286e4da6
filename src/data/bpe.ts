/**
 * Byte-pair encoding (Sennrich, Haddow, Birch 2016, "Neural machine translation of rare words with subword units",
 * §3.2, arxiv.org/abs/1508.07909): a word begins as its characters, and the learnt merges join neighbours, earliest
 * merge first, until none applies. Frequent words end as one piece, rare ones as several, none is lost.
 *
 * Units come from `preTokenize`; the space before one is the mark `▁` at the head of its first piece, and the text
 * gets one space before it, so that a word has the same pieces at the start of a sentence as inside it. So joining
 * the pieces, reading ▁ as a space and dropping the first space gives the text back: `decode(encode(s)) === s` for
 * every text of known characters. Case is kept.
 *
 * A run of characters outside the alphabet is one `<unk>`, whose surface `encodePieces` keeps for copying.
 */
import { DataError, OptionError } from "../core/errors.ts";
import type { RandomStream } from "../core/random.ts";
import { pairKey } from "./pair-heap.ts";
import { preTokenize } from "./pretokenize.ts";

/** Fills up short rows of a batch. */
export const PAD = 0;
/** Begins a target sentence: `<s>`. */
export const START = 1;
/** Ends a sentence: `</s>`. */
export const END = 2;
/** Characters outside the alphabet: `<unk>`. */
export const UNKNOWN = 3;

export const SPECIAL_PIECES = ["<pad>", "<s>", "</s>", "<unk>"] as const;
/** U+2581, the space before a word. The text's own U+2581, should it occur, is an unknown character. */
export const SPACE_MARK = "\u2581";

const FORMAT = "heed-bpe-1";
const CACHED_WORDS = 1 << 16;
const ONE_CHARACTER = /^[^ ]$/su;
const LONGEST = 60;

function refuse(rule: string, got: unknown): never {
  const text = typeof got === "string" ? got : got === null ? "null" : typeof got;
  const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  const remedy = "train the encoding again with trainBpe";
  throw new DataError("FORMAT", { op: "Bpe.fromJSON", rule, got: JSON.stringify(shown), remedy });
}

/** What `Bpe.toJSON` writes; characters and merges in order of id. */
export interface BpeJson {
  readonly format: string;
  readonly alphabet: readonly string[];
  /** `"left right"`; no piece contains a plain space. */
  readonly merges: readonly string[];
}

/** Piece i of a text is `ids[i]`, and `pieces[i]` is what it stands for there, ▁ for a space. */
export interface Encoding {
  readonly ids: number[];
  readonly pieces: string[];
}

/**
 * BPE-dropout (Provilkov, Emelianenko, Voita 2020, arxiv.org/abs/1910.13267): at every step each applicable merge is
 * passed over with probability `rate` in [0, 1), so that training sees many spellings of a word.
 */
export interface BpeDropout {
  readonly rate: number;
  readonly random: RandomStream;
}

interface Merge {
  readonly rank: number;
  readonly id: number;
}

/**
 * A trained encoding. Make one with `trainBpe` or read one with `Bpe.fromJSON`.
 *
 * @example
 * const bpe = trainBpe(["low lower lowest", "new newer newest"], { vocabularySize: 40 });
 * bpe.decode(bpe.encode("newer lowest")); // "newer lowest"
 */
export class Bpe {
  readonly #pieces: string[] = [...SPECIAL_PIECES];
  readonly #ids = new Map<string, number>();
  readonly #merges = new Map<number, Merge>();
  readonly #cache = new Map<string, Encoding>();
  readonly #json: BpeJson;

  private constructor(json: BpeJson) {
    this.#json = json;
    for (const character of json.alphabet) this.#add(character);
    for (const [rank, merge] of json.merges.entries()) {
      const [left, right, ...rest] = merge.split(" ").map((piece) => this.#ids.get(piece));
      if (left === undefined || right === undefined || rest.length > 0) {
        refuse("a merge must be two earlier pieces", merge);
      }
      const id = this.#add(this.#pieces[left]! + this.#pieces[right]!);
      const key = pairKey(left, right);
      if (!this.#merges.has(key)) this.#merges.set(key, { rank, id });
    }
  }

  /** @throws DataError FORMAT for whatever `toJSON` does not write */
  static fromJSON(json: BpeJson): Bpe {
    if (json?.format !== FORMAT || !Array.isArray(json.alphabet) || !Array.isArray(json.merges)) {
      refuse(`format must be "${FORMAT}" with arrays alphabet and merges`, json?.format);
    }
    for (const character of json.alphabet)
      if (typeof character !== "string" || !ONE_CHARACTER.test(character))
        refuse("the alphabet must hold single characters, no space", character);
    for (const merge of json.merges)
      if (typeof merge !== "string") refuse("a merge must be two earlier pieces", merge);
    return new Bpe(json);
  }

  /** An encoding from its parts, for `trainBpe`: the alphabet (▁ among it) and the merges as `"left right"`. */
  static fromParts(alphabet: readonly string[], merges: readonly string[]): Bpe {
    return new Bpe({ format: FORMAT, alphabet, merges });
  }

  toJSON(): BpeJson {
    return this.#json;
  }

  /** The number of ids, the four special ones included. */
  get size(): number {
    return this.#pieces.length;
  }

  /** @throws OptionError OPTION */
  piece(id: number): string {
    const piece = this.#pieces[id];
    if (piece !== undefined) return piece;
    const rule = `an id must be an integer from 0 to ${this.size - 1}`;
    const remedy = "decode with the encoding that made it";
    throw new OptionError("OPTION", { op: "Bpe.piece", rule, got: id, remedy });
  }

  /** The id of a piece (spaces as ▁), undefined when it is not in the vocabulary; special pieces have none. */
  id(piece: string): number | undefined {
    return this.#ids.get(piece);
  }

  /** The ids of a text, without `<s>` and `</s>`. Normalise the text first (`normalizeText`). */
  encode(text: string, dropout?: BpeDropout): number[] {
    return this.encodePieces(text, dropout).ids;
  }

  /** Ids and surfaces: `pieces.join("")` is the text after one space, with ▁ for spaces, whatever is unknown. */
  encodePieces(text: string, dropout?: BpeDropout): Encoding {
    const ids: number[] = [];
    const pieces: string[] = [];
    if (text === "") return { ids, pieces };
    for (const unit of preTokenize(` ${text}`)) {
      const encoding = dropout ? this.#encodeUnit(unit, dropout) : this.#cached(unit);
      ids.push(...encoding.ids);
      pieces.push(...encoding.pieces);
    }
    return { ids, pieces };
  }

  /**
   * The text of ids; `<pad>`, `<s>` and `</s>` are silent.
   *
   * @param unknown what stands for the `<unk>` at a position of `ids`; default U+FFFD
   * @throws OptionError OPTION
   */
  decode(ids: Iterable<number>, unknown: (position: number) => string = () => "\ufffd"): string {
    let text = "";
    let position = 0;
    for (const id of ids) {
      if (id === UNKNOWN) text += unknown(position);
      else if (id > UNKNOWN || !(id in SPECIAL_PIECES)) text += this.piece(id).replaceAll(SPACE_MARK, " ");
      position++;
    }
    return text.startsWith(" ") ? text.slice(1) : text;
  }

  #add(piece: string): number {
    let id = this.#ids.get(piece);
    if (id === undefined) {
      id = this.#pieces.push(piece) - 1;
      this.#ids.set(piece, id);
    }
    return id;
  }

  #cached(unit: string): Encoding {
    let encoding = this.#cache.get(unit);
    if (encoding === undefined) {
      encoding = this.#encodeUnit(unit);
      if (this.#cache.size >= CACHED_WORDS) this.#cache.clear();
      this.#cache.set(unit, encoding);
    }
    return encoding;
  }

  #encodeUnit(unit: string, dropout?: BpeDropout): Encoding {
    const { ids, pieces } = this.#characters(unit);
    for (;;) {
      let best: Merge | undefined;
      for (let i = 0; i + 1 < ids.length; i++) {
        const merge = this.#merges.get(pairKey(ids[i]!, ids[i + 1]!));
        if (merge === undefined || (best !== undefined && merge.rank >= best.rank)) continue;
        if (dropout === undefined || dropout.random.uniform() >= dropout.rate) best = merge;
      }
      if (best === undefined) return { ids, pieces };
      this.#join(ids, pieces, best);
    }
  }

  /** Joins every occurrence of the pair, from the left, in place. */
  #join(ids: number[], pieces: string[], merge: Merge): void {
    let kept = 0;
    for (let i = 0; i < ids.length; i++, kept++) {
      const next = i + 1 < ids.length ? this.#merges.get(pairKey(ids[i]!, ids[i + 1]!)) : undefined;
      const joins = next?.rank === merge.rank;
      ids[kept] = joins ? merge.id : ids[i]!;
      pieces[kept] = joins ? pieces[i]! + pieces[i + 1]! : pieces[i]!;
      if (joins) i++;
    }
    ids.length = kept;
    pieces.length = kept;
  }

  #characters(unit: string): Encoding {
    const ids: number[] = [];
    const pieces: string[] = [];
    for (const character of unit) {
      const known =
        character === SPACE_MARK ? undefined : this.#ids.get(character === " " ? SPACE_MARK : character);
      if (known === undefined && ids.at(-1) === UNKNOWN) {
        pieces[pieces.length - 1] += character;
        continue;
      }
      ids.push(known ?? UNKNOWN);
      pieces.push(character === " " ? SPACE_MARK : character);
    }
    return { ids, pieces };
  }
}
