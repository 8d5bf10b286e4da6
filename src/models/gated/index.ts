/** Models whose gates say which of their inputs matter, and the same models without the gates. */
export * from "./gated-band-classifier.ts";
export * from "./variable-selection-forecaster.ts";
