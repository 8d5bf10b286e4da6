/** What training in the page takes, and tells as it goes. */

export interface ToyInput {
  readonly seed: number;
  /** A sentence to look at while the model learns. */
  readonly sentence: string;
}

export interface ToyStep {
  readonly step: number;
  /** Mean loss of a word in nats, of the steps since the last time. */
  readonly loss: number;
  /** Of sentences that training never saw: the share that comes out right, word by word. */
  readonly right: number;
  readonly source: readonly string[];
  readonly target: readonly string[];
  /** What the model makes of the sentence. */
  readonly written: readonly string[];
  /** Where each word of that looked: a trace. */
  readonly trace?: Uint8Array<ArrayBuffer> | undefined;
}

/** Sentences of two classes that a reader typed. */
export interface ClassesInput {
  readonly sentences: readonly { readonly text: string; readonly label: 0 | 1 }[];
  /** A sentence to be told what it is. */
  readonly probe: string;
}

export interface ClassesStep {
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  /** Share of the typed sentences that are told right. */
  readonly right: number;
  /** How much the probe is of the second class, 0 … 1. */
  readonly probe: number;
}
