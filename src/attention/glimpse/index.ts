export * from "../../ops/grid-sample.ts";
export { type Affine, type AffineGridOptions, type AffineParameters, affineGrid } from "./affine-grid.ts";
export * from "./draw.ts";
export {
  type GaussianFilters,
  type GaussianGlimpseOptions,
  type GaussianGlimpseResult,
  gaussianGlimpse,
} from "./gaussian-glimpse.ts";
export {
  type GaussianAxis,
  type GaussianMask2d,
  type GaussianParameters,
  gaussianMask,
  gaussianMask2d,
} from "./gaussian-mask.ts";
export type { Glimpse, GlimpseResult, ImageSize } from "./glimpse.ts";
export * from "./hard-crop.ts";
export * from "./resize.ts";
export * from "./soft-mask.ts";
export * from "./spatial-transformer.ts";
