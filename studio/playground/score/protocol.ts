import type { Panel } from "../catalogue/panels.ts";

/** Sizes of the example on which a score function is tried: one sequence. */
export interface ScoreSizes {
  readonly T: number;
  readonly S: number;
  readonly H: number;
  readonly D: number;
  readonly seed: number;
}

/** Traces the functions of a text and runs attention with them. */
export interface ScoreRequest {
  readonly do: "score";
  readonly text: string;
  readonly sizes: ScoreSizes;
  /** The head whose maps are wanted. */
  readonly head: number;
  /** Queries and keys of a block. */
  readonly block: number;
}

/** A number at the top of the text, `const cap = 2; // 0.5 to 10`, and where it stands. */
export interface Constant {
  readonly name: string;
  readonly value: number;
  readonly start: number;
  readonly end: number;
  readonly least: number;
  readonly most: number;
  readonly step: number;
}

/** What a formula says and how it is written for `<math-formula>`. */
export interface Formula {
  readonly title: string;
  readonly source: string;
}

export interface ScoreAnswer {
  readonly constants: readonly Constant[];
  readonly formulas: readonly Formula[];
  /** Of the chosen head; what is hidden is −∞ in `changed`. */
  readonly scores: Panel;
  readonly changed: Panel;
  readonly slopes: Panel | undefined;
  readonly weights: Panel;
  readonly output: Panel;
  /** For each block of queries and of keys: 0 is skipped, 1 is whole, ½ asks the mask for each pair. */
  readonly blocks: Panel;
  readonly wgsl: string;
  readonly reference: string;
  readonly code: string;
  /** All heads, as the copied code prints them. */
  readonly shown: { readonly weights: unknown; readonly output: unknown };
}
