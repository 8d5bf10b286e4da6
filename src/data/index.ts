export * from "./batching.ts";
export * from "./bpe.ts";
export { type BpeOptions, trainBpe } from "./bpe-train.ts";
export { normalizeText } from "./text.ts";
export { parsePairs, readPairs, type SentencePair } from "./tsv.ts";
export { words } from "./words.ts";
