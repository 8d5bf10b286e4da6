import { type ModelReader, VOCABULARY } from "../../model-files.ts";
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
export function readLexicon(folder: ModelReader): Lexicon {
  const { bpe, outputs, words } = folder.json<LexiconJson>(VOCABULARY, ["bpe", "outputs", "words"]);
  const isCount = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 0;
  const refuseOutputs = (to: string) => folder.damaged(VOCABULARY, `other outputs of "${to}"`);
  for (const [to, ids] of Object.entries(outputs))
    if (!(Array.isArray(ids) && ids.every(isCount))) throw refuseOutputs(to);
  for (const [word, count] of Object.entries(words))
    if (!isCount(count)) throw folder.damaged(VOCABULARY, `a count of "${word}" that is no whole number`);
  const pieces = JointPieces.fromJSON({ bpe, outputs });
  const beyond = pieces.languages.find((to) => pieces.outputs(to).some((id) => id >= pieces.size));
  if (beyond) throw refuseOutputs(beyond);
  return { pieces, words: new Map(Object.entries(words)) };
}
