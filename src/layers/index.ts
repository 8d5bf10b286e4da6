/**
 * The mechanisms as layers of TensorFlow.js. Importing this registers them, so that `tf.loadLayersModel` finds them:
 * it is, with heed/backend, the only entry that has an effect.
 */
import * as feature from "./feature/index.ts";
import * as normalize from "./normalize/index.ts";
import { registerLayers } from "./register.ts";
import * as sequence from "./sequence/index.ts";

registerLayers(feature, normalize, sequence);

/** The fields of a layer of your own: `fields.required(fields.integer(1))`. */
export * as fields from "./base/fields.ts";
export type { LayerInput, Shape, Sizes } from "./base/inputs.ts";
export * from "./base/layer.ts";
export type { Constraint, Initializer, ObjectConfig, Regularizer } from "./base/objects.ts";
export * from "./feature/index.ts";
export * from "./normalize/index.ts";
export * from "./sequence/index.ts";
