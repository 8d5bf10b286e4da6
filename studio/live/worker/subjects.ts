import * as tf from "@tensorflow/tfjs-core";
import { END, SPACE_MARK, START } from "../../../src/data/bpe.ts";
import { intervene } from "../../../src/intervene/intervene.ts";
import type { Intervention } from "../../../src/intervene/intervention.ts";
import { mostTokens } from "../../../src/models/transformer/config.ts";
import type { Transformer } from "../../../src/models/transformer/transformer.ts";
import { tidyData } from "../../../src/ops/tidy.ts";
import type { LanguageModel } from "../../../src/tasks/language-model/language-model.ts";
import type { PretrainedModel } from "../../../src/tasks/pretrained/model.ts";
import { decode } from "../../../src/tasks/translation/multilingual/decode.ts";
import type { MultilingualModel } from "../../../src/tasks/translation/multilingual/translator.ts";
import { longestOutput } from "../../../src/tasks/translation/text/guards.ts";
import type { TargetLanguage } from "../../../src/tasks/translation/text/language.ts";
import { begun, likeliest, type Subject } from "./subject.ts";
import { tooLong } from "./trace-bytes.ts";

/** Tokens that can be operated on: every head of every layer is kept twice. */
const MOST_TOKENS = 48;
/** Tokens that a decoder alone writes on. */
const WRITTEN = 16;

/** A piece without the mark of a space before it, but one that is nothing else. */
const readable = (piece: string) => piece.replaceAll(SPACE_MARK, " ").trim() || " ";

/** A sentence and what the Transformer made of it, with teacher forcing; values stay as they are typed. */
export function translationSubject({ model, pieces }: MultilingualModel, text: string, to: string): Subject {
  const language = to as TargetLanguage;
  const { ids: source, pieces: surfaces } = pieces.encodeSource(text, language);
  if (text.trim() === "") throw new Error("type a sentence first");
  if (source.length > MOST_TOKENS) throw tooLong("a sentence to operate on", MOST_TOKENS, source.length);
  const best = decode(model, pieces, language, [source], { beam: 5, lengthPenalty: 1 })[0]![0]!;
  const outputs = pieces.outputs(language);
  const columns = new Map(Array.from(outputs, (id, column) => [id, column]));
  const written = [START, ...best.ids];
  const scores = (target: readonly number[]) => {
    const memory = model.encode({ tokens: tf.tensor2d(source, [1, source.length], "int32") });
    const states = model.decode(
      { tokens: tf.tensor2d([...target], [1, target.length], "int32") },
      { memory },
    );
    const rows = model.headRows(tf.tensor1d(outputs, "int32"));
    return model.logits(tf.reshape(states, [target.length, -1]) as tf.Tensor2D, rows);
  };
  const { encoderLayers: E, decoderLayers, heads } = model.config;
  const keys = [`<${to}>`, ...surfaces.slice(1).map(readable)];
  const queries = ["<start>", ...best.ids.map((id) => readable(pieces.bpe.piece(id)))];
  const ofEncoder = Array.from({ length: E }, (_, n) => ({
    name: `encoder ${n}`,
    heads,
    queries: keys,
    keys,
  }));
  const ofDecoder = Array.from({ length: decoderLayers }, (_, n) => [
    { name: `decoder ${n}, to itself`, heads, queries, keys: queries },
    { name: `decoder ${n}, to the sentence`, heads, queries, keys },
  ]);
  const isWritten = (layer: number) => ({ queries: layer >= E, keys: layer >= E && (layer - E) % 2 === 0 });
  return {
    layers: [...ofEncoder, ...ofDecoder.flat()],
    run: () => scores(written),
    answers: [...best.ids, END].map((id) => columns.get(id)!),
    tokens: [...best.ids.map((id) => readable(pieces.bpe.piece(id))), "<end>"],
    write(interventions) {
      const ids = [START];
      while (ids.length <= longestOutput(source.length)) {
        const next = outputs[nextOf(() => scores(ids), begun(interventions, ids.length, isWritten))]!;
        if (next === END) break;
        ids.push(next);
      }
      return pieces.bpe.decode(ids.slice(1));
    },
    code: [
      `import { loadMultilingualModel } from "heed/tasks";`,
      "",
      `const { model, pieces } = await loadMultilingualModel("translation-en");`,
      `const { ids: source } = pieces.encodeSource(${JSON.stringify(text)}, ${JSON.stringify(to)});`,
      `const target = ${JSON.stringify(written)}; // what begins a translation, then what the model wrote`,
      `const outputs = pieces.outputs(${JSON.stringify(to)});`,
      "const run = () => {",
      `  const memory = model.encode({ tokens: tf.tensor2d([source], [1, source.length], "int32") });`,
      `  const states = model.decode({ tokens: tf.tensor2d([target], [1, target.length], "int32") }, { memory });`,
      `  const rows = model.headRows(tf.tensor1d(outputs, "int32"));`,
      "  return tf.softmax(model.logits(tf.reshape(states, [target.length, -1]), rows));",
      "};",
    ],
  };
}

/** A text of a language model of characters; each row is asked for the character that follows. */
export function charactersSubject({ model, characters }: LanguageModel, text: string): Subject {
  const tokens = [...text];
  if (tokens.length > MOST_TOKENS) throw tooLong("a text to operate on", MOST_TOKENS, tokens.length);
  return decoderSubject(model, {
    ids: [...characters.encode("language model", text)],
    tokens,
    decode: (ids) => characters.decode(ids),
    code: [
      `import { loadLanguageModel } from "heed/tasks";`,
      "",
      "const { model, characters } = await loadLanguageModel();",
      `const ids = [...characters.encode("text", ${JSON.stringify(text)})];`,
    ],
  });
}

/** A text of a published decoder. */
export function publishedSubject(published: PretrainedModel, text: string): Subject {
  const { ids, tokens } = published.encode(text);
  if (ids.length > MOST_TOKENS) throw tooLong("a text to operate on", MOST_TOKENS, ids.length);
  return decoderSubject(published.model, {
    ...{ ids, tokens },
    decode: (added) => published.tokenizer!.decode([...added]),
    code: [
      `import { loadModel } from "heed/tasks";`,
      "",
      `const published = await loadModel("the folder of the model");`,
      "const { model } = published;",
      `const { ids } = published.encode(${JSON.stringify(text)});`,
    ],
  });
}

interface DecoderText {
  readonly ids: readonly number[];
  readonly tokens: readonly string[];
  readonly decode: (ids: readonly number[]) => string;
  readonly code: readonly string[];
}

function decoderSubject(model: Transformer, { ids, tokens, decode: textOf, code }: DecoderText): Subject {
  if (ids.length === 0) throw new Error("type a text first");
  const scores = (read: readonly number[]) => {
    const states = model.decode({ tokens: tf.tensor2d([...read], [1, read.length], "int32") });
    return model.logits(tf.reshape(states, [read.length, -1]) as tf.Tensor2D);
  };
  const { decoderLayers, heads } = model.config;
  const most = Math.min(ids.length + WRITTEN, mostTokens(model.config));
  const last = nextOf(() => scores(ids), []);
  return {
    layers: Array.from({ length: decoderLayers }, (_, n) => ({
      name: `layer ${n}`,
      heads,
      queries: tokens,
      keys: tokens,
    })),
    run: () => scores(ids),
    answers: [...ids.slice(1), last],
    tokens: [...tokens.slice(1), textOf([last])],
    write(interventions) {
      const all = [...ids];
      while (all.length < most) {
        const now = interventions.map((one) => widened(one, all.length));
        all.push(nextOf(() => scores(all), now));
      }
      return textOf(all.slice(ids.length));
    },
    code: [
      ...code,
      `const tokens = () => tf.tensor2d([ids], [1, ids.length], "int32");`,
      "const run = () =>",
      "  tf.softmax(model.logits(tf.reshape(model.decode({ tokens: tokens() }), [ids.length, -1])));",
    ],
  };
}

/** A pinned row with 0 for keys that came later. Edges, queries and keys are those of the text. */
function widened(one: Intervention, S: number): Intervention {
  if (one.do !== "pin") return one;
  const weights = one.weights as readonly number[];
  return { ...one, weights: Array.from({ length: S }, (_, s) => weights[s] ?? 0) };
}

/** The column that is the likeliest after all rows of a changed pass. */
function nextOf(scores: () => tf.Tensor2D, interventions: readonly Intervention[]): number {
  return tidyData(() => {
    const given = interventions.length > 0 ? intervene(scores, interventions) : scores();
    return likeliest(given.dataSync(), given.shape[1]);
  });
}
