import { repeatedTrigrams } from "../../models/pointer-generator/trigrams.ts";
import { corpusRouge, type RougeScore, rougeWords } from "../../train/metrics/rouge.ts";
import type { Referenced } from "../references.ts";
import { type Choice, type Copying, type Pointing, scoreChoice, scoreCopying } from "./copying.ts";
import { scoreLead } from "./lead.ts";
import type { SummarizeOptions, Summarizer, Summary } from "./summarizer.ts";

/** F of each measure, 0 … 100. */
export interface RougeF {
  rouge1: number;
  rouge2: number;
  rougeL: number;
}

/** How well a split is summed up, beside what needs no model. */
export interface Evaluation extends RougeF {
  sources: number;
  /** The first words of each text. */
  lead: RougeF & { words: number };
  /** The whole text. */
  copy: RougeF;
  /** What people wrote, each against the others of the same text; where every text has two references or more. */
  people?: RougeF;
  /** Mean words of a text, of a summary and of a reference, as ROUGE counts them. */
  words: { text: number; summary: number; reference: number };
  /** Mean share of a summary's trigrams that it had before, without case. */
  repeats: number;
  /** Words that the vocabulary lacks and every reference keeps: how many come through. */
  copied: Copying;
  /** Of all such words that the texts have: how many the summaries have, and how many of these are right. */
  chosen: Choice;
  /** Places of references with such a word: how many the model would fill with it, given the reference up to there. */
  pointed: Pointing;
  signature: string;
  seconds: number;
}

/** What a split scores where a part of the model is put off. */
export type Ablation = Pick<Evaluation, "rougeL" | "repeats" | "copied">;

/** A split without the coverage, and without copying, by the same weights; of those that the model has. */
export interface Ablations {
  coverage?: Ablation;
  pointing?: Ablation;
}

/** ROUGE of a split alone, which is all that training asks for. */
export function scoreSummaries(
  summarizer: Pick<Summarizer, "summarize">,
  split: readonly Referenced[],
  options: SummarizeOptions = {},
): RougeF {
  const summaries = summarizer.summarize(
    split.map(({ source }) => source),
    options,
  );
  const references = split.map((one) => one.references);
  return fOf(
    corpusRouge(
      summaries.map(({ target }) => target),
      references,
    ),
  );
}

/**
 * Sums up every text of a split and scores the result against all its references, beside the first `leadWords` words, the
 * whole text, and people.
 */
export function evaluate(
  summarizer: Pick<Summarizer, "summarize" | "pointing">,
  split: readonly Referenced[],
  { leadWords, ...options }: SummarizeOptions & { leadWords: number },
): Evaluation {
  const begun = performance.now();
  const sources = split.map(({ source }) => source);
  const references = split.map((one) => one.references);
  const summaries = summarizer.summarize(sources, options);
  const seconds = (performance.now() - begun) / 1000;
  const targets = summaries.map(({ target }) => target);
  const score = corpusRouge(targets, references);
  const people = scorePeople(references);
  return {
    sources: split.length,
    ...fOf(score),
    lead: { words: leadWords, ...fOf(scoreLead(split, leadWords)) },
    copy: fOf(scoreLead(split, Number.POSITIVE_INFINITY)),
    ...(people && { people }),
    words: {
      text: meanWords(sources),
      summary: meanWords(targets),
      reference: meanWords(references.flat()),
    },
    repeats: repeatsOf(summaries),
    copied: scoreCopying(summaries, references),
    chosen: scoreChoice(summaries, references),
    pointed: summarizer.pointing(split, options),
    signature: score.signature,
    seconds,
  };
}

/** What coverage and pointing are worth: the scores of a split without each of them. */
export function ablate(
  summarizer: Pick<Summarizer, "summarize" | "card">,
  split: readonly Referenced[],
): Ablations {
  const { pointer, coverage } = summarizer.card.model;
  const sources = split.map(({ source }) => source);
  const references = split.map((one) => one.references);
  const off = (options: SummarizeOptions): Ablation => {
    const summaries = summarizer.summarize(sources, options);
    const targets = summaries.map(({ target }) => target);
    const { rougeL } = fOf(corpusRouge(targets, references));
    return { rougeL, repeats: repeatsOf(summaries), copied: scoreCopying(summaries, references) };
  };
  return {
    ...(coverage && { coverage: off({ coverage: false }) }),
    ...(pointer && { pointing: off({ pointing: false }) }),
  };
}

/**
 * ROUGE of the references themselves: each is a summary of its text, and the others of that text are its references. They
 * are judged by one reference less than a model is, which is to their disadvantage. Undefined where a text has just one.
 */
export function scorePeople(references: readonly (readonly string[])[]): RougeF | undefined {
  if (references.some(({ length }) => length < 2)) return undefined;
  const own = references.flat();
  const others = references.flatMap((all) => all.map((_, k) => all.filter((__, other) => other !== k)));
  return fOf(corpusRouge(own, others));
}

const fOf = ({ rouge1, rouge2, rougeL }: RougeScore): RougeF => ({
  rouge1: rouge1.f,
  rouge2: rouge2.f,
  rougeL: rougeL.f,
});

const repeatsOf = (summaries: readonly Summary[]): number =>
  mean(summaries.map(({ targetTokens }) => repeatedTrigrams(targetTokens.map(lowered))));

const lowered = (token: string): string => token.toLowerCase();

const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

const meanWords = (texts: readonly string[]): number => mean(texts.map((text) => rougeWords(text).length));
