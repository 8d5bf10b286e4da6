/** Applications, from data to a trained model: translation. */
export * from "./translation/index.ts";
