/** Messages of the layers. */
export const layerMessages = {
  LAYER_KEY: (d: { op: string; key: string; known: readonly string[]; meant?: string | undefined }) =>
    `${d.op}: every key of its configuration must be one of ${d.known.join(", ")}, got ${d.key}; ` +
    (d.meant ? `did you mean ${d.meant}?` : "correct its spelling or remove it"),
  LAYER_OPTION: (d: { op: string; name: string; rule: string; got: string; remedy: string }) =>
    `${d.op}: ${d.name} must be ${d.rule}, got ${d.got}; ${d.remedy}`,
  LAYER_WEIGHT: (d: { op: string; name: string; got: readonly unknown[]; inputs: string }) =>
    `${d.op}: the shape of the weight ${d.name} must be known and without 0, got [${d.got.map(String).join(", ")}] from ` +
    `${d.inputs}; give the input layers those sizes`,
  LAYER_UNBUILT: (d: { op: string }) =>
    `${d.op}: a layer must have weights before they can be read or set, got none yet; apply it to something, or build a model of ` +
    "it, first",
  LAYER_CALL: (d: { op: string; key: string; known: readonly string[] }) =>
    `${d.op}: every option of a call must be one of ${d.known.join(", ")}, got ${d.key}; correct its spelling or remove it`,
  LAYER_SYMBOLIC: (d: { op: string; key: string; isField: boolean }) =>
    `${d.op}: a layer in a model must have its options in its configuration, got ${d.key} in a call, which TensorFlow.js ` +
    `does not repeat when the model runs; ${d.isField ? `give ${d.key} to the constructor` : "make it an input of the layer"}`,
  KERAS_CALL: (d: { layer: string; key: string; known: readonly string[]; got: string }) =>
    `loadLayersModel: the call of ${d.layer} must be of ${d.known.join(", ")}, got ${d.key}=${d.got}; build that model ` +
    `without it`,
  KERAS_CALLS: (d: { layer: string; got: string }) =>
    `loadLayersModel: all calls of the shared layer ${d.layer} must have the same options, got ${d.got}; build that model ` +
    `with a layer for each`,
  KERAS_INPUT: (d: { given: string; meant: readonly string[] }) =>
    `loadLayersModel: an input of a call must name one layer, got ${d.given}, which means ` +
    `${d.meant.length ? d.meant.join(" or ") : "none"}; rename the layers of that model`,
};
