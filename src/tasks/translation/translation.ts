import { checkOptionNames, type OptionNames } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import type { Note } from "./text/pipeline.ts";
import type { Kind } from "./text/placeholders.ts";

/** A value that stands in both a sentence and its translation: a number, a price, a name. */
export interface CopiedValue {
  kind: Kind;
  /** As it was typed. */
  source: string;
  /** As the target language writes it. */
  target: string;
}

/** Why a reader should not trust a translation. */
export type Doubt = "not English" | "low confidence" | "cut off" | "value missing";

/** A translated line, with what each of its words looked at. */
export interface Translation {
  source: string;
  target: string;
  /** Words and punctuation of the source, in order. */
  sourceTokens: string[];
  /** Words and punctuation of the translation. */
  targetTokens: string[];
  /** weights[i][j]: how much target token i looked at source token j; rows sum to 1. */
  weights: number[][];
  /** Log-probability of the translation over its length penalty, in nats; parts of a long line are averaged. */
  score: number;
  /** How likely the translation is a good one, from 0 to 1; the card says what that was measured on. */
  confidence?: number;
  /** Values that were copied, in order. */
  values?: CopiedValue[];
  /** What was changed before translating, and words that the model has not seen. */
  notes?: Note[];
  doubts?: Doubt[];
  /** The next best translations, all different, best first, when `nBest` asked for them. */
  alternatives?: Translation[];
}

export interface TranslateOptions {
  /** Hypotheses kept at each step; 1 is greedy. The card's beam by default. */
  beam?: number;
  /** Translations returned for each line, at most `beam`. @default 1 */
  nBest?: number;
  /** Longest translation of one part of a line, in pieces. @default 2·source + 10; 1.6·source + 8 of a Transformer */
  maxLength?: number;
  /** Parts of lines translated at once. @default 32; 64 of a Transformer */
  batchSize?: number;
  /** Return what each word looked at; without, `weights` is empty and a long line costs less. @default true */
  weights?: boolean;
}

/** Parts of lines translated at once, where nobody says how many. */
export const BATCH_SIZE = 32;

const NAMES: OptionNames<TranslateOptions> = {
  ...{ beam: true, nBest: true, maxLength: true, batchSize: true, weights: true },
};

/** @throws OptionError OPTION, UNKNOWN */
export function checkTranslateOptions(options: TranslateOptions, decoding: { beam: number }): void {
  checkOptionNames("translate", options, NAMES);
  const beam = options.beam ?? decoding.beam;
  const must = (name: string, got: number | undefined, rule: string, most = Number.POSITIVE_INFINITY) => {
    if (got === undefined || (Number.isInteger(got) && got >= 1 && got <= most)) return;
    const fault = { op: "translate", rule: `${name} must be ${rule}`, got, remedy: "correct it" };
    throw new OptionError("OPTION", { ...fault, name });
  };
  must("beam", options.beam, "a whole number from 1");
  must("maxLength", options.maxLength, "a whole number from 1");
  must("batchSize", options.batchSize, "a whole number from 1");
  must("nBest", options.nBest, `a whole number from 1 to the beam, ${beam}`, beam);
}
