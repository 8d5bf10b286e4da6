import type { Membership } from "./membership.ts";

export const SPLITS = ["train", "valid", "test"] as const;
export type Split = (typeof SPLITS)[number];

/** A data set of sentence pairs: where its public archive is, and what must come of it. */
export interface Dataset {
  readonly name: string;
  readonly title: string;
  readonly licence: string;
  /** A zip archive at an address whose content cannot change. */
  readonly url: string;
  readonly bytes: number;
  readonly sha256: string;
  /** The archive's file of rows `source<TAB>target`. */
  readonly member: string;
  readonly membership: Membership;
  /** Per split, the number of rows and their `rowsChecksum`: a fetched split is what models were trained on. */
  readonly splits: Readonly<Record<Split, { readonly rows: number; readonly sha256: string }>>;
  /** The notice that the licence asks to keep with the data (Markdown). */
  readonly attribution: string;
}
