import type { AnsweredQuestion } from "../tasks/visual-questions/answerer.ts";
import type { ImageAttentionData } from "../viz/image.ts";
import type { TerminalCapabilities } from "../viz/terminal/capabilities.ts";
import { terminalImage } from "../viz/terminal-image.ts";
import type { AnswerFormat } from "./flags.ts";

/** Answers that a person may want to see besides the first. */
const OTHERS = 3;

/** An answer as it is printed, line end included. */
export function showAnswer(
  { file, question }: { file: string | undefined; question: string },
  answered: AnsweredQuestion,
  data: () => ImageAttentionData,
  format: AnswerFormat,
  terminal: TerminalCapabilities,
): string {
  const { answer, probability, answers, words, unknown, maps } = answered;
  if (format === "json") {
    const object = {
      ...(file !== undefined && { picture: file }),
      ...{ question, answer, probability },
      answers: answers.slice(0, OTHERS + 1),
      ...(unknown.length > 0 && { unknown }),
      words,
      weights: maps.map((map) => Array.from(map)),
    };
    return `${JSON.stringify(object)}\n`;
  }
  if (format === "line") return `${answer}\n`;
  return `${answer}\nprobability ${probability.toFixed(3)}\n\n${terminalImage(data(), terminal)}\n\n`;
}

/** What stands in the place of an answer where there is none, line end included. */
export function unanswered(file: string, question: string, error: string, format: AnswerFormat): string {
  return format === "json" ? `${JSON.stringify({ picture: file, question, answer: null, error })}\n` : "\n";
}
