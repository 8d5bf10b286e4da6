export {
  type BatchOptions,
  makeBatches,
  type PaddedBatch,
  padBatch,
  type TokenPair,
} from "./batching.ts";
export * from "./bpe.ts";
export { type BpeOptions, trainBpe } from "./bpe-train.ts";
export { listDatasets } from "./catalog.ts";
export { type Dataset, type FileDataset, type PairDataset, SPLITS, type Split } from "./dataset.ts";
export type { DownloadProgress } from "./download.ts";
export { type FetchOptions, type FetchResult, fetchDataset } from "./fetch.ts";
export { type IdxArray, parseIdx, readIdx } from "./idx.ts";
export {
  imagesChecksum,
  type LabelledImages,
  locateImages,
  readImages,
  sliceImages,
} from "./labelled-images.ts";
export { cacheFolder, locateDataset } from "./locate.ts";
export { locateModel, modelsFolder } from "./locate-model.ts";
export { type MaskedPieces, type MaskingOptions, maskPieces } from "./masking.ts";
export * from "./packing.ts";
export * from "./pictures/index.ts";
export type { ReadBytesOptions } from "./read-bytes.ts";
export { readSplit } from "./split.ts";
export { normalizeText } from "./text.ts";
export { parsePairs, type ReadPairsOptions, readPairs, type SentencePair } from "./tsv.ts";
export { decodeWav, encodeWav, readWav, type Sound } from "./wav.ts";
export { words } from "./words.ts";
