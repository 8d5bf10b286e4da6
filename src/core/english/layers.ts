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
};
