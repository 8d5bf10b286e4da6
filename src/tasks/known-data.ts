import type { CardData } from "./card-data.ts";

/** Data as a card names them; `changes` where they are the same whoever reads them. */
export type KnownData = Omit<CardData, "changes"> & Partial<Pick<CardData, "changes">>;

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

/**
 * Data that models were trained on and the catalogue does not have, by the checksum of what trains: `rowsChecksum` of rows,
 * `imagesChecksum` of images.
 */
const KNOWN: Readonly<Record<string, KnownData>> = {
  "09313840e8322b602e9a3e8604c06a952ac04de6241b693e43631834391b4235": {
    name: "arxiv-titles",
    licence: "CC0 1.0",
    attribution:
      "Abstracts and titles of arXiv, collected by R. Stuart Geiger, ArXiV Archive, doi.org/10.5281/zenodo.1463242.",
    changes:
      "18,951 papers of cs.CL, cs.IR, cs.NE, cs.HC and cs.SD from github.com/staeiou/arxiv_archive, commit f043eb1d71da: abstracts " +
      "of 30 to 180 words, titles of 4 to 15, without mark-up; white space collapsed, quotes straight, split by hash.",
  },
  "2169953a1d7ed46723953fb6bf359146fa8713738e925090b6fecc7f5e40ea7b": {
    name: "mnist",
    licence: "CC-BY-SA-3.0",
    attribution: "MNIST, Yann LeCun, Corinna Cortes and Christopher J. C. Burges.",
  },
  cd7dd942c7d918949f04a0a24c57178a5357a4c4c7b2daf6d85c0a08bcc4107f: {
    name: "drawn-digits",
    licence: "MIT",
    attribution: "Digits that heed draws.",
    changes: "None.",
  },
  "0ac0a596f4f89f4114b10f5696eefb8651a32c897cf287d2759a05a046e541b4": {
    name: "nlvr",
    licence: "CC BY 4.0",
    attribution:
      'Alane Suhr, Mike Lewis, James Yeh, Yoav Artzi: "A Corpus of Natural Language for Visual Reasoning", ACL 2017, ' +
      "github.com/lil-lab/nlvr.",
    changes:
      "The first box order of each example of the official parts dev and test, commit 18924841aa96, cut by sentence: 839 for " +
      "training, 150 for validation, 865 for the test. Pictures are made grey and 256 × 64 pixels large.",
  },
  f530b0bacd0d2a39b50aa420a565703e321c251c7601f8ff5cbb5d7818dac0cf: WIKI,
  "100fe61f8178132229aa74377772e760e182852f5e67cb1f209f1279de75c44f": WIKI,
};

/** What is known of such data; undefined for others. */
export const knownData = (checksum: string): KnownData | undefined => KNOWN[checksum];
