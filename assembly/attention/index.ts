// Fused attention. `Problem` says what for one head, whose caller loops over examples and heads; `Heads` for many.
export { attentionForward, attentionKeys, attentionScratchBytes } from "./forward";
export { attentionWeightKeys, attentionWeights, attentionWeightsScratchBytes } from "./weights";
export {
  attentionBackward, attentionBackwardKeys, attentionBackwardQueries, attentionBackwardKeysDone,
  attentionBackwardQueriesDone, attentionBackwardScratchBytes,
} from "./backward";
export { attentionProbe } from "./probe";
export { attentionHeads, attentionHeadsBackward, attentionHeadsBackwardBytes, attentionHeadsBytes } from "./heads";
export { cacheAppend, cacheAttend } from "./cache";
