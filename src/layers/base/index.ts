export * from "./fields.ts";
export * from "./head-layer.ts";
export type { LayerInput, Shape, Sizes } from "./inputs.ts";
export * from "./layer.ts";
export * from "./masks.ts";
export type { Constraint, Initializer, ObjectConfig, Regularizer } from "./objects.ts";
