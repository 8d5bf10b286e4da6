// Fused attention for one head: `Problem` says what, the caller loops over examples and heads.
export { attentionForward, attentionKeys, attentionScratchBytes } from "./forward";
export { attentionWeightKeys, attentionWeights, attentionWeightsScratchBytes } from "./weights";
export {
  attentionBackward, attentionBackwardKeys, attentionBackwardQueries, attentionBackwardKeysDone,
  attentionBackwardQueriesDone, attentionBackwardScratchBytes,
} from "./backward";
export { attentionProbe } from "./probe";
