/** Changes attention while a model runs, and tells what that changes. */
export {
  type AdversarialOptions,
  type AdversarialWeights,
  adversarialWeights,
} from "./adversarial-weights.ts";
export {
  type EffectPart,
  type HeadEffect,
  type HeadEffects,
  type HeadEffectsOptions,
  headEffects,
} from "./head-effects.ts";
export { type InterveneOptions, intervene } from "./intervene.ts";
export type {
  Cells,
  Edge,
  Freeze,
  Intervention,
  KnockOut,
  Numbers,
  Part,
  Patch,
  Pin,
  Place,
  Scale,
  Swap,
} from "./intervention.ts";
export { type Recorded, type Recording, type RecordOptions, type RunRecording, record } from "./recording.ts";
export { type ValueZeroing, valueZeroing } from "./value-zeroing.ts";
export {
  type PermutationOptions,
  type PermutationTest,
  permuteWeights,
  type WeightPlace,
} from "./weight-tests.ts";
