export { type LoadOptions, loadPretrained, MODEL_TYPES } from "./load.ts";
export { encodePretrained, type PublishOptions, type WeightType } from "./write.ts";
