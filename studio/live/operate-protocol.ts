/** What an operation on a live model is, and what comes of it. */
import type { HeadEffect } from "../../src/intervene/head-effects.ts";
import type { Intervention } from "../../src/intervene/intervention.ts";

/** What a model is operated on with: a text, and of a translator the language. */
export interface SubjectInput {
  readonly text: string;
  readonly to?: string | undefined;
}

export interface OperateInput extends SubjectInput {
  readonly interventions: readonly Intervention[];
}

/** One call of attention as a reader knows it. */
export interface LayerFacts {
  readonly name: string;
  readonly heads: number;
  readonly queries: readonly string[];
  readonly keys: readonly string[];
}

/** A token that the model should write, and how sure it is of it. */
export interface AnswerFacts {
  readonly token: string;
  readonly before: number;
  readonly after: number;
}

/** How far the weights of a head moved: the mean over its rows of ½ Σ_s |α_ts − α′_ts|, 0 … 1. */
export interface HeadChange {
  readonly layer: number;
  readonly head: number;
  readonly change: number;
}

export interface OperateOutput {
  readonly layers: readonly LayerFacts[];
  readonly answers: readonly AnswerFacts[];
  /** What the model writes by itself, word by word the likeliest. */
  readonly written: { readonly before: string; readonly after: string };
  /** All heads, the layers in order. */
  readonly changes: readonly HeadChange[];
  readonly unchanged: Uint8Array<ArrayBuffer>;
  readonly changed: Uint8Array<ArrayBuffer>;
  /** A program with the same numbers; of an opened model its place is the reader's to name. */
  readonly code: string;
}

export interface EffectsInput extends SubjectInput {
  readonly method: "exact" | "gradient";
}

export interface EffectsOutput {
  readonly layers: readonly LayerFacts[];
  /** Log-probability of all answers together, in nats. */
  readonly metric: number;
  /** The largest first. */
  readonly ranking: readonly HeadEffect[];
  readonly milliseconds: number;
}
