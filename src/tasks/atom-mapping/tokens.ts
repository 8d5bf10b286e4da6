import { DataError } from "../../core/errors.ts";

/**
 * What a SMILES is made of: an atom in brackets, an atom of the organic subset, a bond, a branch, a ring's number, a dot, the
 * arrow of a reaction. Schwaller et al. 2019, arxiv.org/abs/1811.02633.
 */
const TOKEN =
  /\[[^\]]+\]|Br?|Cl?|N|O|S|P|F|I|b|c|n|o|s|p|\(|\)|\.|=|#|-|\+|\\|\/|:|~|@|\?|>>?|\*|\$|%\d{2}|\d/g;

/** Between reactants and products. */
export const ARROW = ">>";
const [FIRST, LAST, UNKNOWN] = ["[CLS]", "[SEP]", "[UNK]"] as const;

/**
 * Cuts a SMILES, or one of a reaction, into its tokens, which joined are the text again.
 *
 * @throws DataError FORMAT for a sign that is part of no token
 * @example
 * smilesTokens("Clc1ccccc1>>[OH-]"); // ["Cl", "c", "1", "c", "c", "c", "c", "c", "1", ">>", "[OH-]"]
 */
export function smilesTokens(smiles: string): string[] {
  const tokens: string[] = [];
  let end = 0;
  for (const { 0: token, index } of smiles.matchAll(TOKEN)) {
    if (index > end) break;
    tokens.push(token);
    end = index + token.length;
  }
  if (end === smiles.length) return tokens;
  throw new DataError("FORMAT", {
    op: "smilesTokens",
    rule: "a SMILES must be made of atoms, bonds, branches, rings and dots",
    got: `${JSON.stringify(String.fromCodePoint(smiles.codePointAt(end)!))} as sign ${end + 1}`,
    remedy: "write it without that sign",
  });
}

/** Whether a token stands for an atom. */
export const isAtom = (token: string): boolean => /^[A-Za-z[]|\*/.test(token);

/** The tokens that a model knows, by their number. */
export class SmilesVocabulary {
  readonly list: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;

  /** @throws DataError FORMAT for a list without the tokens around a reaction */
  constructor(list: readonly string[]) {
    this.list = list;
    this.#ids = new Map(list.map((token, id) => [token, id]));
    const missing = [FIRST, LAST, UNKNOWN, ARROW].find((token) => !this.#ids.has(token));
    if (missing === undefined) return;
    throw new DataError("FORMAT", {
      op: "SmilesVocabulary",
      rule: `a vocabulary must have ${FIRST}, ${LAST}, ${UNKNOWN} and ${ARROW}`,
      got: `none of the name ${missing}`,
      remedy: "copy the model's folder again",
    });
  }

  has(token: string): boolean {
    return this.#ids.has(token);
  }

  /** A reaction as the model reads it: its tokens between the first and the last, each with its number. */
  encode(reaction: string): { tokens: string[]; ids: number[] } {
    const tokens = [FIRST, ...smilesTokens(reaction), LAST];
    const unknown = this.#ids.get(UNKNOWN)!;
    return { tokens, ids: tokens.map((token) => this.#ids.get(token) ?? unknown) };
  }
}
