import type { Membership } from "./membership.ts";

export const SPLITS = ["train", "valid", "test"] as const;
export type Split = (typeof SPLITS)[number];

interface Described {
  readonly name: string;
  readonly title: string;
  readonly licence: string;
  /** To download, in all. */
  readonly bytes: number;
  /**
   * Per split, the number of rows and their checksum, `rowsChecksum` of pairs and `imagesChecksum` of images: a fetched split
   * is what models were trained on.
   */
  readonly splits: Readonly<Record<Split, { readonly rows: number; readonly sha256: string }>>;
  /** What is counted as rows. @default "rows" */
  readonly unit?: string;
  /** The notice that the licence asks to keep with the data (Markdown). */
  readonly attribution: string;
}

/** A data set of sentence pairs: where its public archive is, and what must come of it. */
export interface PairDataset extends Described {
  /** A zip archive at an address whose content cannot change. */
  readonly url: string;
  readonly sha256: string;
  /** The archive's file of rows `source<TAB>target`. */
  readonly member: string;
  readonly membership: Membership;
}

/** A data set that is kept as it was published, file by file. */
export interface FileDataset extends Described {
  /** The address of the folder with the files, whose content cannot change. */
  readonly url: string;
  /** Names of the classes by their number, where labels are numbers. */
  readonly classes?: readonly string[];
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[];
}

export type Dataset = PairDataset | FileDataset;

export const isFiles = (dataset: Dataset): dataset is FileDataset => "files" in dataset;
