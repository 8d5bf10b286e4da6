/** `scoreMod` and `maskMod`: functions of scores that are traced into expressions, classics of them, and their WGSL. */
export type { Expression } from "./expression.ts";
export type { ModificationOptions } from "./modification.ts";
export * from "./presets/index.ts";
export { toWgsl, type WgslNames } from "./to-wgsl.ts";
export {
  type MaskMod,
  type Place,
  type ScoreMod,
  type TracedTensors,
  traceMaskMod,
  traceScoreMod,
} from "./trace.ts";
export { TracedBoolean, TracedNumber, TracedTensor } from "./traced.ts";
