import { CARD, type ModelFiles, ModelReader } from "../../../src/tasks/model-files.ts";
import { readMultilingualModel } from "../../../src/tasks/translation/multilingual/read.ts";
import { MultilingualTranslator } from "../../../src/tasks/translation/multilingual/translator.ts";
import { readModel } from "../../../src/tasks/translation/read.ts";
import { RecurrentTranslator } from "../../../src/tasks/translation/recurrent-translator.ts";
import { isTargetLanguage } from "../../../src/tasks/translation/text/language.ts";
import { translationTrace } from "../../../src/tasks/translation/trace.ts";
import type { TranslateOptions, Translation } from "../../../src/tasks/translation/translation.ts";
import type { TranslateInput, TranslateOutput } from "../protocol.ts";
import type { LiveModel } from "./model.ts";
import { operations } from "./operations.ts";
import { translationSubject } from "./subjects.ts";
import { traceBytes } from "./trace-bytes.ts";

/** Words that are translated at once; a page is no place to wait for a book. */
const MOST_WORDS = 200;

/** Any translator as this page uses it. */
type Translate = (lines: readonly string[], options: TranslateOptions) => Translation[];

/** The translator of a model's files: several languages by a Transformer, or one by a recurrent model. */
export function openTranslation(files: ModelFiles): LiveModel {
  const { languages } = new ModelReader("loadTranslator", files, [CARD]).json<{ languages?: unknown }>(
    CARD,
    [],
  );
  if (languages === undefined) {
    const translator = new RecurrentTranslator(readModel(files));
    const act = (input: TranslateInput) =>
      translated(input, (lines, options) => translator.translate(lines, options));
    return {
      facts: { languages: [translator.card.to] },
      acts: { translate: act },
      dispose: () => translator.dispose(),
    };
  }
  const given = readMultilingualModel(files);
  const known = given.card.languages.filter(isTargetLanguage);
  const translators = new Map(known.map((to) => [to as string, new MultilingualTranslator(given, to)]));
  const { encoderLayers, decoderLayers, heads } = given.card.model;
  return {
    facts: { languages: known, layers: encoderLayers + 2 * decoderLayers, heads },
    acts: {
      translate(input) {
        const translator = translators.get(input.to);
        if (!translator) throw new Error(`the model translates to ${known.join(", ")}, not ${input.to}`);
        return translated(input, (lines, options) => translator.translate(lines, options));
      },
      ...operations(({ text, to }) => translationSubject(given, text, to ?? known[0]!)),
    },
    dispose: () => given.model.dispose(),
  };
}

function translated({ text, beam }: TranslateInput, translate: Translate): TranslateOutput {
  const words = text.trim().split(/\s+/);
  const cut = Math.max(0, words.length - MOST_WORDS);
  const read = cut > 0 ? words.slice(0, MOST_WORDS).join(" ") : text.replace(/\s+/g, " ");
  const [translation] = translate([read], { beam, nBest: beam });
  return { translation: translation!, cut, trace: traceBytes(translationTrace(translation!)) };
}
