import type { AskedPicture, QuestionCorpus } from "./corpus.ts";

/** The pictures whose questions are counted, at most. */
const MOST_PICTURES = 5000;

/** The commonest answers to questions, counted in training: a baseline that sees no picture. */
export class MajorityAnswers {
  readonly #byQuestion = new Map<string, Map<string, number>>();
  readonly #all = new Map<string, number>();

  constructor(pictures: readonly AskedPicture[]) {
    for (const { questions } of pictures)
      for (const { question, answer } of questions) {
        const known = this.#byQuestion.get(question) ?? new Map<string, number>();
        this.#byQuestion.set(question, known);
        for (const counts of [known, this.#all]) counts.set(answer, (counts.get(answer) ?? 0) + 1);
      }
  }

  to(question: string): string | undefined {
    const counts = this.#byQuestion.get(question) ?? this.#all;
    return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))[0]?.[0];
  }
}

/** The baseline of a corpus: what is commonly answered in training. */
export const majorityOf = (corpus: QuestionCorpus): MajorityAnswers =>
  new MajorityAnswers(corpus.train(0, Math.min(corpus.epochPictures, MOST_PICTURES)));
