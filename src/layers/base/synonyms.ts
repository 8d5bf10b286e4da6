import { nearestKey } from "../../core/nearest-key.ts";
import { camelCase } from "./objects.ts";

/** Fields under the words that other libraries have for them, in camelCase. */
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  // PyTorch
  nhead: ["numHeads"],
  dimFeedforward: ["intermediateDim"],
  layerNormEps: ["layerNormEpsilon"],
  normFirst: ["normalizeFirst"],
  bias: ["useBias"],
  isCausal: ["useCausalMask"],
  dropoutP: ["dropout"],
  eps: ["epsilon", "layerNormEpsilon"],
  needWeights: ["returnAttentionScores", "returnAttention"],
  // Flax, Hugging Face and papers
  heads: ["numHeads", "numQueryHeads"],
  numHeads: ["numQueryHeads"],
  numAttentionHeads: ["numHeads", "numQueryHeads"],
  numKvHeads: ["numKeyValueHeads"],
  headDim: ["keyDim"],
  keyDim: ["headDim"],
  dimHead: ["keyDim", "headDim"],
  dimHeads: ["keyDim", "headDim"],
  intermediateSize: ["intermediateDim"],
  dropoutRate: ["dropout"],
  attentionDropout: ["dropout"],
  attentionProbsDropoutProb: ["dropout"],
  causal: ["useCausalMask"],
  window: ["slidingWindow", "attentionWindow"],
};

/** Arguments of others that a layer here has no use for, and why. */
const NEEDLESS: Readonly<Record<string, string>> = {
  dModel: "the width of the input is the model's",
  embedDim: "the width of the input is the model's",
  hiddenSize: "the width of the input is the model's",
  qkvFeatures: "the width of the input is the model's",
  kdim: "the width of the keys is read off the input",
  vdim: "the width of the values is read off the input",
  batchFirst: "inputs are [B, T, C], the batch first, always",
  normalizedShape: "the axes are named by axis, their sizes read off the input",
};

/** What to do about a key that a layer does not have. */
export function remedyFor(key: string, known: readonly string[]): string {
  const word = camelCase(key);
  if (word !== key && known.includes(word)) return `did you mean ${word}?`;
  const meant = SYNONYMS[word]?.find((field) => known.includes(field));
  if (meant) return `its name here is ${meant}`;
  const reason = NEEDLESS[word];
  if (reason) return `leave it out: ${reason}`;
  const near = nearestKey(key, known);
  return near ? `did you mean ${near}?` : "correct its spelling or remove it";
}
