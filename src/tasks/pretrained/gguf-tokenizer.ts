/** The tokenizer in the metadata of a GGUF file, as the tokenizer.json that it was made from. */
import { BYTE_PAIRS, bytePairsOf } from "./gguf-byte-pairs.ts";
import { type Pieces, piecesOf, type TokenizerParts, unsupported } from "./gguf-pieces.ts";
import { sentencePieceOf } from "./gguf-sentence-piece.ts";

/** Kinds of pieces that stand for themselves in a text, by their numbers in `tokenizer.ggml.token_type`. */
const [UNKNOWN, CONTROL, USER_DEFINED] = [2, 3, 4];

/** Objects as tokenizer.json and tokenizer_config.json hold them. */
export interface TokenizerFiles {
  readonly tokenizer: Readonly<Record<string, unknown>>;
  readonly config: Readonly<Record<string, unknown>>;
}

/**
 * The tokenizer of a GGUF file: byte-level pairs ("gpt2") or SentencePiece with bytes for what is in no piece ("llama").
 *
 * @returns undefined where the file has none
 * @throws DataError UNSUPPORTED naming another kind, FORMAT where its entries contradict one another
 * @example
 * import { Tokenizer } from "@huggingface/tokenizers";
 * import { ggufTokenizer } from "heed/tasks";
 * const metadata = new Map(Object.entries({
 *   "tokenizer.ggml.model": "gpt2",
 *   "tokenizer.ggml.pre": "gpt-2",
 *   "tokenizer.ggml.tokens": ["a", "b", "ab", "Ġ"],
 *   "tokenizer.ggml.merges": ["a b"],
 * }));
 * const { tokenizer, config } = ggufTokenizer(metadata);
 * new Tokenizer(tokenizer, config).encode("ab ba").ids; // [2, 3, 1, 0]
 */
export function ggufTokenizer(metadata: ReadonlyMap<string, unknown>): TokenizerFiles | undefined {
  const kind = metadata.get("tokenizer.ggml.model");
  if (kind === undefined) return undefined;
  const pieces = piecesOf(metadata);
  const parts = partsOf(kind, metadata.get("tokenizer.ggml.pre"), pieces);
  const special = (n: number) => [UNKNOWN, CONTROL].includes(n);
  const added = pieces.tokens.flatMap((content, id) => {
    const type = pieces.types[id]!;
    if (!special(type) && type !== USER_DEFINED) return [];
    return { id, content, special: special(type), normalized: false };
  });
  const [bos, eos] = [
    pieces.flag("add_bos_token", parts.addsBos) ? pieces.piece("bos_token_id") : undefined,
    pieces.flag("add_eos_token", false) ? pieces.piece("eos_token_id") : undefined,
  ];
  const { normalizer, pre_tokenizer, decoder, model } = parts;
  const post_processor = around(bos, eos);
  return {
    tokenizer: {
      version: "1.0",
      added_tokens: added,
      normalizer,
      pre_tokenizer,
      post_processor,
      decoder,
      model,
    },
    config: { clean_up_tokenization_spaces: false },
  };
}

function partsOf(kind: unknown, pre: unknown, pieces: Pieces): TokenizerParts {
  if (kind === "llama") return sentencePieceOf(pieces);
  if (kind !== "gpt2") throw unsupported("tokenizer.ggml.model must be gpt2 or llama", kind);
  const split = typeof pre === "string" && Object.hasOwn(BYTE_PAIRS, pre) ? BYTE_PAIRS[pre] : undefined;
  if (split) return bytePairsOf(pieces, split);
  throw unsupported(`tokenizer.ggml.pre must be one of ${Object.keys(BYTE_PAIRS).join(", ")}`, pre);
}

/** What stands before and after every text. */
function around(bos: string | undefined, eos: string | undefined): object | null {
  if (bos === undefined && eos === undefined) return null;
  const token = (id: string | undefined) => (id === undefined ? [] : [{ SpecialToken: { id, type_id: 0 } }]);
  const [A, B] = ["A", "B"].map((id) => ({ Sequence: { id, type_id: 0 } }));
  return {
    type: "TemplateProcessing",
    single: [...token(bos), A, ...token(eos)],
    pair: [...token(bos), A, B, ...token(eos)],
  };
}
