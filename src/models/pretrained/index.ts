export { type LoadOptions, loadPretrained, MODEL_TYPES } from "./load.ts";
