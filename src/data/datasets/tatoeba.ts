import type { PairDataset } from "../dataset.ts";

/** What the selections of Tatoeba's sentences for flash cards differ in. */
interface Selection
  extends Pick<PairDataset, "url" | "bytes" | "sha256" | "member" | "membership" | "splits"> {
  /** Language tag of the targets. */
  to: string;
  /** Its English name. */
  language: string;
  /** The day that the archive gives. */
  date: string;
  /** Rows of the archive that no split has. */
  leftOut: number;
}

/** English sentences of the Tatoeba project with their translations, as www.manythings.org/anki selected them. */
export function tatoeba({ to, language, date, leftOut, ...archive }: Selection): PairDataset {
  const name = `tatoeba-en-${to}`;
  return {
    name,
    title: `English-${language} sentence pairs of the Tatoeba project`,
    licence: "CC BY 2.0 FR",
    ...archive,
    attribution: `# ${name}: English-${language} sentence pairs

Sentences by the contributors of Tatoeba (https://tatoeba.org), selected and paired by www.manythings.org/anki.
Licence: Creative Commons Attribution 2.0 France (CC BY 2.0 FR), https://creativecommons.org/licenses/by/2.0/fr/.
The selection is of ${date}, from before authors were published sentence by sentence, so they cannot be named.

Changed by heed: the text was normalised (Unicode NFC, plain quotation marks, no zero-width characters or soft
hyphens, single plain spaces); rows that became equal were merged; rows were reordered and split into train, valid
and test; ${leftOut.toLocaleString("en")} rows were left out. No source and no target sentence is in two splits, not even with other case or
punctuation.

Keep this notice with the data. Rows are source<TAB>target, UTF-8, gzip.
`,
  };
}
