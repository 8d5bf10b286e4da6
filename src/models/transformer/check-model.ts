import { OptionError } from "../../core/errors.ts";
import { isObject } from "../../core/is-object.ts";
import type { Transformer } from "./transformer.ts";

/**
 * Throws OPTION for what is no Transformer: most often what `loadModel` gives, which has one.
 *
 * @param what the name that the caller's documentation has for it
 */
export function checkTransformer(op: string, model: unknown, what = "model"): asserts model is Transformer {
  if (isTransformer(model)) return;
  const hasOne = isObject(model) && isTransformer(model.model);
  throw new OptionError("OPTION", {
    op,
    rule: `${what} must be a Transformer`,
    got: hasOne
      ? "an object that has one"
      : model === undefined
        ? "nothing"
        : `a value of type ${typeof model}`,
    remedy: hasOne
      ? "pass its field model"
      : "pass a Transformer, or the field model of what loadModel gives",
  });
}

/** By what it has, not by its class, of which a bundle may hold two. */
const isTransformer = (model: unknown): boolean =>
  isObject(model) && isObject(model.parameters) && isObject(model.config) && "encoderLayers" in model.config;
