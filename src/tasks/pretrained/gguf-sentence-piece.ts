/** SentencePiece's pairs (Kudo & Richardson 2018, arxiv.org/abs/1808.06226), whose merges a GGUF file has as scores of pieces. */
import { fault, type Pieces, type TokenizerParts, unsupported } from "./gguf-pieces.ts";

const SPACE = "▁";
/** Characters of a piece; SentencePiece itself makes none of more than 16 unless it is told to. */
const LONGEST = 512;
/** Types of the pieces that two others can merge to. */
const MERGED = [1, 5];

/** @throws DataError FORMAT, UNSUPPORTED */
export function sentencePieceOf(pieces: Pieces): TokenizerParts {
  if (pieces.flag("remove_extra_whitespaces", false))
    throw unsupported("tokenizer.ggml.remove_extra_whitespaces must be false", true);
  const prefixed = pieces.flag("add_space_prefix", true);
  const spaces = { type: "Replace", pattern: { String: " " }, content: SPACE };
  const prepend = { type: "Prepend", prepend: SPACE };
  const back = { type: "Replace", pattern: { String: SPACE }, content: " " };
  const strip = { type: "Strip", content: " ", start: 1, stop: 0 };
  const decoders = [back, { type: "ByteFallback" }, { type: "Fuse" }, ...(prefixed ? [strip] : [])];
  return {
    normalizer: prefixed ? { type: "Sequence", normalizers: [prepend, spaces] } : spaces,
    pre_tokenizer: null,
    decoder: { type: "Sequence", decoders },
    model: {
      type: "BPE",
      vocab: Object.fromEntries(pieces.tokens.map((token, id) => [token, id])),
      merges: mergesOf(pieces),
      unk_token: pieces.piece("unknown_token_id") ?? null,
      fuse_unk: true,
      byte_fallback: true,
    },
    addsBos: true,
  };
}

/**
 * Every way to cut a piece into two, best pieces first: two neighbours merge where what they make is a piece, and of all that
 * could merge the best score does.
 */
function mergesOf(pieces: Pieces): [string, string][] {
  const { tokens, types } = pieces;
  const scores = pieces.list("scores");
  if (scores.length !== tokens.length)
    throw fault(`tokenizer.ggml.scores must have the ${tokens.length} entries of tokens`, scores.length);
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const order = tokens.map((_, id) => id).filter((id) => MERGED.includes(types[id]!));
  order.sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
  return order.flatMap((id) => {
    const piece = tokens[id]!;
    if (piece.length > LONGEST) throw fault(`a piece must have at most ${LONGEST} characters`, piece.length);
    const characters = Array.from(piece);
    const cuts: [string, string][] = [];
    for (let at = 1; at < characters.length; at++) {
      const [left, right] = [characters.slice(0, at).join(""), characters.slice(at).join("")];
      // A character need not be a piece to merge.
      const isThere = (part: string, length: number) => length === 1 || ids.has(part);
      if (isThere(left, at) && isThere(right, characters.length - at)) cuts.push([left, right]);
    }
    return cuts;
  });
}
