import { OptionError } from "../core/errors.ts";
import { outOfRange } from "../core/faults.ts";
import { MASKED, NOT_FINITE, VALUE } from "./cells.ts";
import { AttentionMap } from "./map/map.ts";

/** Tokens put together to words. */
export interface Words {
  readonly words: readonly string[];
  /** Word w is made of tokens starts[w] up to starts[w + 1]; one longer than `words`. */
  readonly starts: Int32Array;
}

/** Marks such as [CLS], <s> and <|endoftext|> are words of their own. */
const SPECIAL = /^(?:<[^<>\s]+>|\[[A-Z]+\])$/;

/**
 * Whether a token is a mark of the model and no text: in angle brackets, or in square ones and capitals.
 *
 * @example
 * ["[CLS]", "<s>", "<|endoftext|>", "cat", "[cat]"].map(isSpecialToken); // [true, true, true, false, false]
 */
export const isSpecialToken = (token: string): boolean => SPECIAL.test(token);

/**
 * The words of subword tokens, by the marks of the tokenizers: `▁` or `Ġ` before a word's first piece
 * (SentencePiece, GPT-2), `##` before its others (BERT), `@@` after all but its last (subword-nmt). Tokens without any
 * mark are words.
 *
 * @example
 * findWords(["[CLS]", "un", "##happi", "##ness", "!"]).words; // ["[CLS]", "unhappiness", "!"]
 */
export function findWords(tokens: readonly string[]): Words {
  const begins = tokens.some((token) => /^[▁Ġ]/u.test(token));
  const words: string[] = [];
  const starts: number[] = [];
  let [open, special] = [false, true];
  for (const [at, token] of tokens.entries()) {
    const isSpecial = isSpecialToken(token);
    const piece = isSpecial ? token : token.replace(/^(?:[▁Ġ]|##(?=.))|(?<=.)@@$/gu, "");
    const continues = begins ? !/^[▁Ġ]/u.test(token) : open || /^##./u.test(token);
    if (continues && !special && !isSpecial) words[words.length - 1] += piece;
    else {
      words.push(piece);
      starts.push(at);
    }
    open = !isSpecial && !begins && /.@@$/u.test(token);
    special = isSpecial;
  }
  return { words, starts: Int32Array.from([...starts, tokens.length]) };
}

/**
 * A map between words: the rows of a word's pieces are averaged, their columns summed, so rows that sum to 1 still do.
 *
 * Conventions: rows that see nothing have no part in the average; a cell is masked where all of its pieces are.
 * Cost: O(cells asked for, in pieces).
 *
 * @throws OptionError OPTION when the words are not those of the map's queries and keys
 * @example
 * const map = denseMap({ H: 1, T: 1, S: 3, weights: [0.25, 0.25, 0.5] });
 * wordMap(map, findWords(["suis"]), findWords(["un", "##happy", "!"])).row(0, 0).values; // Float32Array [0.5, 0.5]
 */
export function wordMap(map: AttentionMap, queries: Words, keys: Words): AttentionMap {
  checkWords("queries", queries, map.T);
  checkWords("keys", keys, map.S);
  const { H, source, rowSums } = map;
  const [T, S] = [queries.words.length, keys.words.length];
  return new AttentionMap(
    { H, T, S, source, rowSums },
    {
      range: () => [0, S],
      read(h, t, from, to, out, at) {
        const [first, last] = [queries.starts[t]!, queries.starts[t + 1]!];
        const { columns, values, kinds } = map.rows(h, first, last);
        const seeing: number[] = [];
        for (let row = 0; row < (last - first) * columns; row += columns)
          if (kinds.subarray(row, row + columns).some((kind) => kind !== MASKED)) seeing.push(row);
        for (let s = from, e = at; s < to; s++, e++) {
          let sum = 0;
          let kind = MASKED;
          for (const row of seeing)
            for (let piece = row + keys.starts[s]!; piece < row + keys.starts[s + 1]!; piece++) {
              if (kinds[piece] === NOT_FINITE) kind = NOT_FINITE;
              else if (kinds[piece] === VALUE && kind === MASKED) kind = VALUE;
              sum += values[piece]!;
            }
          out.kinds[e] = kind;
          out.values[e] = kind === VALUE ? sum / seeing.length : 0;
        }
      },
    },
  );
}

function checkWords(name: string, { words, starts }: Words, tokens: number): void {
  const grows = starts.every((start, w) => start >= 0 && (w === 0 || start > starts[w - 1]!));
  if (grows && starts.length === words.length + 1 && starts[0] === 0 && starts.at(-1) === tokens) return;
  const rule = `the words of its ${tokens} tokens`;
  throw new OptionError(
    "OPTION",
    outOfRange({
      op: "wordMap",
      name,
      rule,
      got: `${words.length} words of others`,
    }),
  );
}
