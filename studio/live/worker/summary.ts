import type { ModelFiles } from "../../../src/tasks/model-files.ts";
import { readModel } from "../../../src/tasks/summarization/read.ts";
import { Summarizer } from "../../../src/tasks/summarization/summarizer.ts";
import { summaryTrace } from "../../../src/tasks/summarization/trace.ts";
import type { LiveModel } from "./model.ts";
import { traceBytes } from "./trace-bytes.ts";

/** Letters that are looked at: the model reads the first tokens, and says how many it did not. */
const MOST_LETTERS = 20_000;

/** The summarizer of a model's files: where each word of a title was taken from, and p_gen, by which it was copied or written. */
export function openSummary(files: ModelFiles): LiveModel {
  const summarizer = new Summarizer(readModel(files));
  return {
    facts: {},
    acts: {
      summarize({ text, beam }) {
        const [summary] = summarizer.summarize([text.slice(0, MOST_LETTERS)], { beam });
        return { summary: summary!, trace: traceBytes(summaryTrace(summary!)) };
      },
    },
    dispose: () => summarizer.dispose(),
  };
}
