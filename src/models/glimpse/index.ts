export { boxLoss, intersectionOverUnion } from "./boxes.ts";
export * from "./draw.ts";
export * from "./hierarchical-attentive-tracker.ts";
export * from "./motion-prior.ts";
export * from "./recurrent-attention-model.ts";
export * from "./retina.ts";
export * from "./spatial-transformer-classifier.ts";
