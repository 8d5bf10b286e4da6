import { expect, test } from "vitest";
import { loadSummarizer, readSummaries, type SummarizationCard } from "../../../src/tasks/index.ts";
import { scoreCopying } from "../../../src/tasks/summarization/copying.ts";
import { scoreSummaries } from "../../../src/tasks/summarization/evaluate.ts";
import { scoreLead } from "../../../src/tasks/summarization/lead.ts";
import { itWithData } from "../../support/shared-data.ts";

test("the cards of the shipped summarizers say what pointing and coverage are worth", async () => {
  for (const name of ["summarization-arxiv", "summarization-wiki"]) {
    const summarizer = await loadSummarizer(name);
    const { metrics, without } = summarizer.card as SummarizationCard;
    // No word that the vocabulary lacks comes through without pointing, and the same is said more often without coverage.
    expect(without.pointing!.copied).toEqual({ words: metrics.copied.words, share: 0 });
    expect(without.pointing!.rougeL).toBeLessThan(metrics.rougeL - 10);
    expect(metrics.repeats).toBeLessThan(0.5 * without.coverage!.repeats);
    expect(metrics.pointed.amongOwn).toBeGreaterThan(metrics.pointed.byLot + 0.3);
    summarizer.dispose();
  }
});

itWithData("arxiv-titles")(
  "titles are closer to people's than the first words, by three points and more",
  async (folder) => {
    const summarizer = await loadSummarizer("summarization-arxiv");
    const split = readSummaries(folder, "test", "").slice(0, 48);
    const { rougeL } = scoreSummaries(summarizer, split, { beam: 1 });
    const lead = scoreLead(split, summarizer.card.decoding.leadWords).rougeL.f;
    expect(rougeL).toBeGreaterThanOrEqual(lead + 3);
    summarizer.dispose();
  },
  30_000,
);

itWithData("wiki-conciseness")(
  "of the words that only copying can bring nine of ten and more come through, none without",
  async (folder) => {
    const summarizer = await loadSummarizer("summarization-wiki");
    const split = readSummaries(folder, "test", "full").slice(0, 24);
    const copied = (pointing: boolean) =>
      scoreCopying(
        summarizer.summarize(
          split.map(({ source }) => source),
          { beam: 1, pointing },
        ),
        split.map(({ references }) => references),
      );
    const { words, share } = copied(true);
    expect(words).toBeGreaterThan(60);
    expect(share).toBeGreaterThanOrEqual(0.9);
    expect(copied(false)).toEqual({ words, share: 0 });
    summarizer.dispose();
  },
  30_000,
);
