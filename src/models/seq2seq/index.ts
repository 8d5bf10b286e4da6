export { type Hypothesis, lengthPenaltyOf } from "./beam.ts";
export { DEFAULT_CONFIG, type ScoreName, type Seq2SeqConfig } from "./config.ts";
export * from "./global-attention.ts";
export { beamSearch, type SearchOptions } from "./search.ts";
export { type LossOptions, Seq2Seq } from "./seq2seq.ts";
