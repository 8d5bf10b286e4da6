/** Which part of which calls; what is left out means all of them. Numbers are counted from 0. */
export interface Place {
  /** Calls of attention in their order: the layers of a trace of `capture`. */
  readonly layer?: Numbers;
  /** Examples of the batch. */
  readonly examples?: Numbers;
  /** Query heads; of k and v key/value heads. */
  readonly heads?: Numbers;
}

export type Numbers = number | readonly number[];

/** A query and a key. */
export type Edge = readonly [query: number, key: number];

/** Queries and keys of a place: all that both lists name, or the pairs. */
export interface Cells extends Place {
  readonly queries?: Numbers;
  readonly keys?: Numbers;
  readonly edges?: readonly Edge[];
}

/** Hides keys from queries. Without keys and edges: what the place reads is 0. */
export interface KnockOut extends Cells {
  readonly do: "knockOut";
  /**
   * What becomes of the weight that stood there: as if masked, the others share it, by a softmax over them; or nobody has it,
   * and rows sum to less than 1. @default "shared"
   */
  readonly weight?: "shared" | "lost";
}

/** Multiplies weights, between softmax and values. */
export interface Scale extends Cells {
  readonly do: "scale";
  readonly by: number;
}

/** Puts weights in the place of those of the softmax: one row for all, or [queries][S] or [heads][queries][S] of the place. */
export interface Pin extends Place {
  readonly do: "pin";
  readonly queries?: Numbers;
  readonly weights: readonly number[] | readonly (readonly number[])[] | readonly (readonly number[][])[];
}

/** Exchanges the weights of two heads, queries or keys. */
export interface Swap extends Omit<Place, "heads"> {
  readonly do: "swap";
  /** Where keys or queries are swapped: in these heads. */
  readonly heads?: Numbers;
  readonly of: "heads" | "queries" | "keys";
  readonly between: readonly [number, number];
}

/** What can be taken from another run. */
export const PARTS = ["q", "k", "v", "weights", "output"] as const;
export type Part = (typeof PARTS)[number];

/** Takes part of another run, as a constant. `queries` are rows of q, weights and output, `keys` those of k and v. */
export interface Patch extends Place {
  readonly do: "patch";
  readonly what: Part;
  /** The name of the run in the option `runs`. */
  readonly from: string;
  /** The call of that run. @default the call of the same number */
  readonly fromLayer?: number;
  readonly queries?: Numbers;
  readonly keys?: Numbers;
}

/** Makes weights constants: the output stays, and gradients go through the values alone. */
export interface Freeze extends Place {
  readonly do: "freeze";
  readonly queries?: Numbers;
}

/** One change of attention: plain JSON, so that a list of them can be kept, printed and sent. */
export type Intervention = KnockOut | Scale | Pin | Swap | Patch | Freeze;
