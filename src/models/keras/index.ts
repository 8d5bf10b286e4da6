export { type KerasOptions, loadKeras, loadKerasWeights } from "./load.ts";
export { saveKeras, saveKerasWeights } from "./save.ts";
