/** What attention did, on plain arrays: traces, maps and measures, without TensorFlow.js. */
export { type Cells, MASKED, NOT_FINITE, VALUE } from "./cells.ts";
export type { Answers } from "./faithfulness/answers.ts";
export { type Faithfulness, type FaithfulnessOptions, faithfulness } from "./faithfulness/curves.ts";
export {
  type RationaleOptions,
  type RationaleScores,
  rationaleScores,
} from "./faithfulness/eraser.ts";
export * from "./head-diversity.ts";
export { type ArrayTokens, fromArrays } from "./import/arrays.ts";
export { fromBertViz } from "./import/bertviz.ts";
export { fromCsv } from "./import/csv.ts";
export { importTrace } from "./import/import.ts";
export { fromNpz } from "./import/npz.ts";
export type { ImportOptions } from "./import/options.ts";
export { softmaxWeights } from "./import/softmax.ts";
export { type DenseWeights, denseMap } from "./map/dense.ts";
export { layerMap } from "./map/layer.ts";
export {
  AttentionMap,
  type MapComputer,
  type MapFacts,
  type MapReader,
  TILE,
  type TileRequest,
} from "./map/map.ts";
export { type ScoreSteps, scoreSteps } from "./map/score.ts";
export { type SparseWeights, sparseMap } from "./map/sparse.ts";
export { type MaskSpec, visibleKeys } from "./mask.ts";
export { pool, pyramid, type Reduction } from "./pyramid.ts";
export { type AltiLayer, alti } from "./relevance/alti.ts";
export { type ContinuedRollout, continueRollout } from "./relevance/continue-rollout.ts";
export {
  type AttributedMap,
  type EncoderDecoder,
  encoderDecoderRelevance,
} from "./relevance/encoder-decoder.ts";
export { type AttentionFlow, attentionFlow } from "./relevance/flow.ts";
export type { FusionOptions, HeadFusion } from "./relevance/fuse.ts";
export { gradientRelevance } from "./relevance/gradient.ts";
export { type Rollout, type RolloutOptions, rollout } from "./relevance/rollout.ts";
export {
  type MassiveActivation,
  type MassiveOptions,
  massiveActivations,
  type SinkHead,
  sinkReport,
} from "./relevance/sinks.ts";
export { valueNormMap } from "./relevance/value-norm.ts";
export { type HeadStatistics, headStatistics, type StatisticsOptions } from "./statistics/head.ts";
export { gini, normalizedEntropy, topMass } from "./statistics/row.ts";
export { thumbnails } from "./thumbnails.ts";
export { appendStep, type LayerStep, type TraceStep } from "./trace/append.ts";
export { type ReadOptions, readTrace } from "./trace/read.ts";
export { type Encoding, TraceTensor, traceTensor } from "./trace/tensor.ts";
export type {
  GlimpseSize,
  ImageGrid,
  LayerInput,
  RowSums,
  ScoreStage,
  Trace,
  TraceInput,
  TraceLayer,
} from "./trace/trace.ts";
export { createTrace, writeTrace } from "./trace/write.ts";
export { decodeU8Log, encodeU8Log, U8LOG_MASKED } from "./u8log.ts";
export { findWords, type Words, wordMap } from "./word-map.ts";
