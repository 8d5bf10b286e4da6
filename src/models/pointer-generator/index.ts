export { DEFAULT_POINTER_GENERATOR, type PointerGeneratorConfig } from "./config.ts";
export { coverageOf } from "./mixture.ts";
export { pointerGeneratorParameters } from "./parameters.ts";
export { PointerGenerator, type PointerLosses, type PointerLossOptions } from "./pointer-generator.ts";
export { type LikeliestOptions, likeliestWords, type PointerSearchOptions, pointerSearch } from "./search.ts";
export { repeatedTrigrams, TrigramBlocking } from "./trigrams.ts";
