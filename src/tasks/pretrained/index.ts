/** Published models with their tokenizers: fetch, load and write them, look at heads, embed texts and continue them. */

export { loadAdapter, writeAdapter } from "./adapters.ts";
export { type ContinuedStep, type ContinueOptions, continueText } from "./continue-text.ts";
export { type DescribedTensor, describeModel, type ModelDescription } from "./describe-model.ts";
export {
  Embedder,
  type EmbedderInput,
  type EmbedderOptions,
  type Embedding,
  loadEmbedder,
} from "./embedder.ts";
export { type GenerationSettings, generationSettings } from "./generation-settings.ts";
export { ggufTokenizer, type TokenizerFiles } from "./gguf-tokenizer.ts";
export { type CachedModel, cachedModels, type ShippedModel, shippedModels } from "./hub/cached-models.ts";
export { type FetchedModel, type FetchModelOptions, fetchModel } from "./hub/fetch-model.ts";
export { type Encoded, loadModel, PretrainedModel } from "./model.ts";
export { cosine, POOLINGS, type Pooling } from "./pooling.ts";
export { HABITS, type Habit, type RemarkableHead, remarkableHeads } from "./remarkable.ts";
export { TextStream } from "./text-stream.ts";
export { type WritePretrainedOptions, writePretrained } from "./write.ts";
