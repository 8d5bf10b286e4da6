/** Measures of what attention did, on plain arrays: no TensorFlow.js. */
export * from "./head-diversity.ts";
