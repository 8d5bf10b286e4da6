/** Published models with their tokenizers: load one, look at its heads. */
export { type DescribedTensor, describeModel, type ModelDescription } from "./describe-model.ts";
export { type CachedModel, cachedModels, type ShippedModel, shippedModels } from "./hub/cached-models.ts";
export { type FetchedModel, type FetchModelOptions, fetchModel } from "./hub/fetch-model.ts";
export { type ContinuedStep, type ContinueOptions, continueText } from "./continue-text.ts";
export { type GenerationSettings, generationSettings } from "./generation-settings.ts";
export { ggufTokenizer, type TokenizerFiles } from "./gguf-tokenizer.ts";
export { type Encoded, loadModel, PretrainedModel } from "./model.ts";
export { HABITS, type Habit, type RemarkableHead, remarkableHeads } from "./remarkable.ts";
export { TextStream } from "./text-stream.ts";
