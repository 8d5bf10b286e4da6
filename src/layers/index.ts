/**
 * The mechanisms as layers of TensorFlow.js. Importing this has effects, as importing heed/backend has: it registers the
 * layers, so that `tf.loadLayersModel` finds them, in the place of the stock LayerNormalization too; it makes masks reach
 * layers of several inputs, models run that give a layer one thing twice, models load that call layers as Keras does,
 * and `file://` addresses work in Node.
 */
import { registerFileModels } from "../host/file-models.ts";
import { patchKerasModels } from "../host/keras-models.ts";
import { patchLayerMasks } from "../host/layer-masks.ts";
import { patchRepeatedInputs } from "../host/repeated-inputs.ts";
import { patchTensorMethods } from "../host/tensor-methods.ts";
import * as adaptive from "./adaptive/index.ts";
import * as discrete from "./discrete/index.ts";
import * as feature from "./feature/index.ts";
import * as glimpse from "./glimpse/index.ts";
import * as linear from "./linear/index.ts";
import * as normalize from "./normalize/index.ts";
import * as position from "./position/index.ts";
import { registerLayers } from "./register.ts";
import * as sequence from "./sequence/index.ts";
import { ResetAfterGRU, ResetAfterGRUCell } from "./sequence/reset-after-gru.ts";
import * as set from "./set/index.ts";
import * as sparse from "./sparse/index.ts";
import * as transformer from "./transformer/index.ts";

registerLayers(
  adaptive,
  discrete,
  feature,
  glimpse,
  linear,
  normalize,
  position,
  sequence,
  set,
  sparse,
  transformer,
  { ResetAfterGRU, ResetAfterGRUCell },
);
patchLayerMasks();
patchRepeatedInputs();
patchTensorMethods();
patchKerasModels();
registerFileModels();

export * from "./adaptive/index.ts";
/** The fields of a layer of your own: `fields.required(fields.integer(1))`. */
export * as fields from "./base/fields.ts";
/** A base for layers of heads of your own, its inputs and fields: `heads.HeadLayer`, `heads.CROSS`. */
export * as heads from "./base/head-layer.ts";
export type { LayerInput, Shape, Sizes } from "./base/inputs.ts";
export * from "./base/layer.ts";
export type { Constraint, Initializer, ObjectConfig, Regularizer } from "./base/objects.ts";
export * from "./discrete/index.ts";
export * from "./feature/index.ts";
export * from "./glimpse/index.ts";
export * from "./linear/index.ts";
export * from "./normalize/index.ts";
export * from "./position/index.ts";
export * from "./sequence/index.ts";
export * from "./set/index.ts";
export * from "./sparse/index.ts";
export * from "./transformer/index.ts";
