import * as tf from "@tensorflow/tfjs-core";
import { capture } from "../../../src/capture/index.ts";
import { LanguageModel } from "../../../src/tasks/language-model/language-model.ts";
import { readModel } from "../../../src/tasks/language-model/read.ts";
import type { ModelFiles } from "../../../src/tasks/model-files.ts";
import type { LiveModel } from "./model.ts";
import { operations } from "./operations.ts";
import { charactersSubject } from "./subjects.ts";
import { traceBytes } from "./trace-bytes.ts";

/** Characters that are looked at; all heads of more are no picture. */
const MOST_SHOWN = 64;

/** The language model of a model's files: what every head looks at, and what it would write next. */
export function openLanguageModel(files: ModelFiles): LiveModel {
  const language = new LanguageModel(readModel(files));
  const { model, characters, card } = language;
  return {
    facts: { layers: model.config.decoderLayers, heads: model.config.heads },
    acts: {
      read({ text, add }) {
        const all = [...text];
        const tokens = all.slice(-MOST_SHOWN);
        const cut = all.length - tokens.length;
        if (tokens.length === 0) return { tokens, cut };
        const ids = [...characters.encode("language model", tokens.join(""))];
        const decoded = () => model.decode({ tokens: tf.tensor2d(ids, [1, ids.length], "int32") });
        const trace = capture(decoded, undefined, { tokens: { text: tokens }, thumbnails: true });
        return {
          ...{ tokens, cut, trace: traceBytes(trace) },
          ...(add > 0 && {
            next: language.write(text.slice(-card.length), { characters: add, temperature: 0 }),
          }),
          ...(tokens.length > 1 && { bits: language.bits(tokens.join("")).bits }),
        };
      },
      ...operations(({ text }) => charactersSubject(language, text)),
    },
    dispose: () => language.dispose(),
  };
}
