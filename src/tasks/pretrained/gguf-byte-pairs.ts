/** Byte-level pairs (Radford et al. 2019, GPT-2 §2.2) by the names that llama.cpp gives to how a text is cut before them. */
import { fault, type Pieces, type TokenizerParts } from "./gguf-pieces.ts";

/** How a text is cut into words before pairs are merged. */
export interface Cut {
  /** Each in turn cuts what is left; what matches stands alone, and so does what lies between. */
  readonly patterns: readonly string[];
  /** Unicode's composed forms first. */
  readonly composed?: boolean;
  /** A word that is a piece is that piece, whatever the merges say. */
  readonly wholeWords?: boolean;
  readonly addsBos?: boolean;
}

const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
/** GPT-4's, with so many digits together. */
const gpt4 = (digits: string) =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

const gpt2: Cut = { patterns: [GPT2] };
const digitByDigit: Cut = { patterns: ["\\p{N}", GPT2] };
const llama3: Cut = { patterns: [gpt4("\\p{N}{1,3}")], wholeWords: true, addsBos: true };
const qwen2: Cut = { patterns: [gpt4("\\p{N}")], composed: true };

/** Values of `tokenizer.ggml.pre`. */
export const BYTE_PAIRS: Readonly<Record<string, Cut>> = {
  "gpt-2": gpt2,
  "phi-2": gpt2,
  mpt: gpt2,
  olmo: gpt2,
  smollm: digitByDigit,
  starcoder: digitByDigit,
  refact: digitByDigit,
  "command-r": digitByDigit,
  "llama-bpe": llama3,
  llama3,
  "llama-v3": llama3,
  qwen2,
  "deepseek-r1-qwen": qwen2,
};

/** @throws DataError FORMAT */
export function bytePairsOf(pieces: Pieces, cut: Cut): TokenizerParts {
  const merges = pieces.list("merges").map((merge) => {
    const pair = typeof merge === "string" ? merge.split(" ") : [];
    if (pair.length !== 2) throw fault("tokenizer.ggml.merges must be pairs with a space between", merge);
    return pair;
  });
  const splits = cut.patterns.map((Regex) => {
    return { type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false };
  });
  const bytes = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };
  return {
    normalizer: cut.composed ? { type: "NFC" } : null,
    pre_tokenizer: { type: "Sequence", pretokenizers: [...splits, bytes] },
    decoder: { ...bytes, use_regex: true },
    model: {
      type: "BPE",
      vocab: Object.fromEntries(pieces.tokens.map((token, id) => [token, id])),
      merges,
      ...(cut.wholeWords && { ignore_merges: true }),
    },
    addsBos: cut.addsBos ?? false,
  };
}
