import { type ModelFolder, VOCABULARY } from "../../model-folder.ts";
import type { Vocabulary } from "../text/vocabulary.ts";
import { JointPieces, type JointPiecesJson } from "./pieces.ts";

/** What a model needs to read and write text: its pieces, and the English words that it has seen. */
export interface Lexicon {
  pieces: JointPieces;
  words: Vocabulary;
}

interface LexiconJson extends JointPiecesJson {
  readonly words: Readonly<Record<string, number>>;
}

/** A lexicon as the text of its file. */
export function lexiconFile({ pieces, words }: Lexicon): string {
  const json: LexiconJson = { ...pieces.toJSON(), words: Object.fromEntries(words) };
  return `${JSON.stringify(json)}\n`;
}

/** @throws DataError DAMAGED, FORMAT · FileError MISSING */
export function readLexicon(folder: ModelFolder): Lexicon {
  const { bpe, outputs, words } = folder.json<LexiconJson>(VOCABULARY, ["bpe", "outputs", "words"]);
  const isId = (id: unknown) => Number.isSafeInteger(id) && (id as number) >= 0;
  for (const [to, ids] of Object.entries(outputs))
    if (!(Array.isArray(ids) && ids.every(isId)))
      throw folder.damaged(VOCABULARY, `other outputs of "${to}"`);
  for (const [word, count] of Object.entries(words))
    if (!isId(count)) throw folder.damaged(VOCABULARY, `a count of "${word}" that is no whole number`);
  return { pieces: JointPieces.fromJSON({ bpe, outputs }), words: new Map(Object.entries(words)) };
}
