/** The layers of docs/LAYERS.md, each with arguments and inputs to try it with. */
export const [T, S, C] = [4, 5, 6];
const one = [[T, C]];
const two = [...one, [S, C]];
const heads = { numHeads: 2, keyDim: 3 };
type Case = readonly [args: object, inputs: readonly (readonly number[])[]];
/** The arguments and inputs that the layers of the table are tried with. */
export const CASES: Readonly<Record<string, Case>> = {
  MultiHeadAttention: [heads, two],
  GroupQueryAttention: [{ headDim: 3, numQueryHeads: 2, numKeyValueHeads: 1 }, two],
  AdaptiveSpanAttention: [{ ...heads, maxSpan: 4 }, one],
  AdaptivelySparseAttention: [heads, two],
  BlockSparseAttention: [{ ...heads, blockSize: 2 }, one],
  DifferentialAttention: [heads, two],
  GatedDeltaNet: [heads, one],
  HardAttention: [heads, two],
  LSHSelfAttention: [{ ...heads, buckets: 1 }, one],
  LinearAttention: [heads, two],
  LinformerAttention: [{ ...heads, mixtures: 2 }, two],
  LongformerAttention: [{ ...heads, attentionWindow: 2 }, one],
  MultiHeadLatentAttention: [{ ...heads, latentDim: 4 }, one],
  MultiScaleRetention: [{ numHeads: 2, keyDim: 4 }, one],
  NystromAttention: [heads, one],
  PerformerAttention: [heads, two],
  QkNormAttention: [heads, two],
  TalkingHeadsAttention: [heads, two],
  MultiHeadPooling: [heads, one],
  Attention: [{}, two],
  AdditiveAttention: [{}, two],
  AttentionPooling: [{}, one],
  AxialAttention: [{ axis: "width" }, [[T, S, C]]],
  BahdanauAttention: [{ units: 3 }, two],
  LuongLocalAttention: [{}, two],
  PatchAttention: [{ units: 3 }, [[C], [S, C]]],
  TransformerDecoderLayer: [{ numHeads: 2, intermediateDim: 8 }, two],
  TransformerEncoderLayer: [{ numHeads: 2, intermediateDim: 8 }, one],
  VisualSentinel: [{ units: 3 }, [...two, [T, C]]],
};
