export { DEFAULT_CONFIG, END, PAD, type ScoreName, type Seq2SeqConfig, START, UNKNOWN } from "./config.ts";
export { type Hypothesis, beamSearch, lengthPenaltyOf, type SearchOptions } from "./search.ts";
export { type LossOptions, type PaddedIds, Seq2Seq } from "./seq2seq.ts";
