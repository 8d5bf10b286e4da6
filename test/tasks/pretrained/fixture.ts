import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { encodeSafetensors } from "../../../src/core/safetensors.ts";
import { fixture } from "../../models/transformer/fixture.ts";

const WORDS = [
  "[PAD]",
  "[UNK]",
  "[CLS]",
  "[SEP]",
  "the",
  "cat",
  "sat",
  "on",
  "mat",
  "##s",
  "and",
  "dog",
  ".",
];

/** A WordPiece tokenizer of thirteen pieces, as tokenizer.json. */
const TOKENIZER = {
  version: "1.0",
  added_tokens: WORDS.slice(0, 4).map((content, id) => ({ id, content, special: true })),
  normalizer: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, lowercase: true },
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: {
    type: "TemplateProcessing",
    single: [
      { SpecialToken: { id: "[CLS]", type_id: 0 } },
      { Sequence: { id: "A", type_id: 0 } },
      { SpecialToken: { id: "[SEP]", type_id: 0 } },
    ],
    pair: [],
    special_tokens: {
      "[CLS]": { id: "[CLS]", ids: [2], tokens: ["[CLS]"] },
      "[SEP]": { id: "[SEP]", ids: [3], tokens: ["[SEP]"] },
    },
  },
  decoder: { type: "WordPiece", prefix: "##", cleanup: true },
  model: {
    type: "WordPiece",
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(WORDS.map((word, id) => [word, id])),
  },
};

/** A model's folder as the hub has it, in a folder of its own. */
export function modelFolder(name = "bert", parts: readonly string[] = ["tokenizer.json"]): string {
  const folder = path.join(mkdtempSync(path.join(tmpdir(), "heed-model-")), name);
  writeModelFolder(folder, name, parts);
  return folder;
}

/** Writes a small model with random weights that transformers made. */
export function writeModelFolder(
  folder: string,
  name = "bert",
  parts: readonly string[] = ["tokenizer.json"],
): void {
  mkdirSync(folder, { recursive: true });
  const { config, state } = fixture(name);
  const tensors = Object.entries(state).map(([title, { shape, values }]) => {
    return [title, { dtype: "F32", shape, data: Float32Array.from(values) }] as const;
  });
  writeFileSync(path.join(folder, "model.safetensors"), encodeSafetensors(Object.fromEntries(tensors)));
  writeFileSync(path.join(folder, "config.json"), JSON.stringify(config));
  if (parts.includes("tokenizer.json"))
    writeFileSync(path.join(folder, "tokenizer.json"), JSON.stringify(TOKENIZER));
}

/** A folder that sentence-transformers wrote, and what it makes of some texts. */
export interface SentenceFixture {
  files: Record<string, unknown>;
  /** Files in base64. */
  weights: Record<string, string>;
  texts: { text: string; ids: number[]; embedding: number[] }[];
}

/** What tools/fixtures/sentence-embeddings.py wrote. */
export function sentenceFixture(name: string): SentenceFixture {
  const folder = path.resolve(import.meta.dirname, "../../fixtures/embedding");
  return JSON.parse(readFileSync(path.join(folder, `${name}.json`), "utf8"));
}

/** The small BERT with the files of sentence-transformers around it, in a folder of its own. */
export function sentenceFolder(name: string): string {
  const folder = modelFolder("bert", []);
  const { files, weights } = sentenceFixture(name);
  for (const [file, content] of Object.entries(files)) writeInside(folder, file, JSON.stringify(content));
  for (const [file, content] of Object.entries(weights))
    writeInside(folder, file, Buffer.from(content, "base64"));
  return folder;
}

/** Writes a file of a model's folder, and the folders that it stands in. */
export function writeInside(folder: string, file: string, content: string | Uint8Array): void {
  mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
  writeFileSync(path.join(folder, file), content);
}
