import type { LoadTranslator } from "../../src/cli/translate.ts";
import type { TranslateOptions, Translation } from "../../src/tasks/translation/translation.ts";

/** What a fake translator was asked. */
export interface Calls {
  folder: string | undefined;
  batches: number[];
  options: TranslateOptions[];
  disposed: boolean;
}

/**
 * A translator without weights: it turns the words around and shouts them, so every target word has one source
 * word, on which it puts 0.75 of its weight.
 */
export function fakeTranslator(card = { from: "en", to: "fr" }): { load: LoadTranslator; calls: Calls } {
  const calls: Calls = { folder: undefined, batches: [], options: [], disposed: false };
  const load: LoadTranslator = async (folder) => {
    calls.folder = folder;
    return {
      card,
      translate: (lines, options = {}) => {
        calls.batches.push(lines.length);
        calls.options.push(options);
        return lines.map(turnAround);
      },
      dispose: () => {
        calls.disposed = true;
      },
    };
  };
  return { load, calls };
}

export function turnAround(source: string): Translation {
  const sourceTokens = source.split(/\s+/).filter((word) => word !== "");
  const targetTokens = sourceTokens.map((word) => word.toUpperCase()).reverse();
  const count = sourceTokens.length;
  const weights = targetTokens.map((_, t) =>
    sourceTokens.map((_, s) => (count === 1 ? 1 : s === count - 1 - t ? 0.75 : 0.25 / (count - 1))),
  );
  return { source, target: targetTokens.join(" "), sourceTokens, targetTokens, weights, score: -0.5 };
}
