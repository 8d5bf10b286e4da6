import type { CardData } from "../card-data.ts";

const WIKI = {
  name: "wiki-conciseness",
  licence: "CC BY 4.0",
  attribution:
    'Felix Stahlberg, Aashish Kumar, Chris Alberti, Shankar Kumar: "Conciseness: An Overlooked Language Task", 2022, ' +
    "arxiv.org/abs/2211.04126; the sentences are from Wikipedia (CC BY-SA).",
  changes:
    "1,900 of the 2,000 sentences of github.com/google-research-datasets/wiki-conciseness-dataset, commit 68e74f3d820f; a row " +
    "a rewrite, white space collapsed, quotes straight, split by article.",
};

/** Data that models were trained on and `heed data` does not fetch, by `rowsChecksum` of the training rows. */
const KNOWN: Readonly<Record<string, CardData>> = {
  "09313840e8322b602e9a3e8604c06a952ac04de6241b693e43631834391b4235": {
    name: "arxiv-titles",
    licence: "CC0 1.0",
    attribution:
      "Abstracts and titles of arXiv, collected by R. Stuart Geiger, ArXiV Archive, doi.org/10.5281/zenodo.1463242.",
    changes:
      "18,951 papers of cs.CL, cs.IR, cs.NE, cs.HC and cs.SD from github.com/staeiou/arxiv_archive, commit f043eb1d71da: abstracts " +
      "of 30 to 180 words, titles of 4 to 15, without mark-up; white space collapsed, quotes straight, split by hash.",
  },
  f530b0bacd0d2a39b50aa420a565703e321c251c7601f8ff5cbb5d7818dac0cf: WIKI,
  "100fe61f8178132229aa74377772e760e182852f5e67cb1f209f1279de75c44f": WIKI,
};

/** What a card says of such data; undefined for others. */
export const knownData = (checksum: string): CardData | undefined => KNOWN[checksum];
