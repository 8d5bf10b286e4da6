/** Messages of the layers. */
export const layerMessages = {
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
