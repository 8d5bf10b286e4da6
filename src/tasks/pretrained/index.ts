/** Published models with their tokenizers: load one, look at its heads. */
export { type Encoded, loadModel, PretrainedModel } from "./model.ts";
export { HABITS, type Habit, type RemarkableHead, remarkableHeads } from "./remarkable.ts";
