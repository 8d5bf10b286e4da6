/** Messages about model folders. */
export const modelMessages = {
  MODEL_FILE: (d: { op: string; file: string; reason: string }) =>
    `${d.op}: a model folder must hold model.safetensors, vocabulary.json and card.json, got ${d.reason} for ` +
    `${d.file}; check the folder's name`,
  MODEL_DAMAGED: (d: { op: string; file: string; got: string }) =>
    `${d.op}: ${d.file} must be what heed wrote, got ${d.got}; copy or train the model again`,
  MODEL_TENSOR: (d: { op: string; file: string; rule: string; got: string }) =>
    `${d.op}: ${d.rule} in ${d.file}, got ${d.got}; the weights belong to another card, copy the folder again`,
  RECIPE: (d: { op: string }) =>
    `${d.op}: a run must go on with the recipe that it began with, got another one; choose an empty --run folder, or ` +
    "give the options of the first call",
};
