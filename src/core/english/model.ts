/** Messages about model folders. */
export const modelMessages = {
  MODEL_FILE: (d: { op: string; file: string; reason: string }) =>
    `${d.op}: a model folder must hold model.safetensors, vocabulary.json and card.json, got ${d.reason} for ` +
    `${d.file}; check the folder's name`,
  MODEL_DAMAGED: (d: { op: string; file: string; got: string }) =>
    `${d.op}: ${d.file} must be what heed wrote, got ${d.got}; copy or train the model again`,
  MODEL_TENSOR: (d: { op: string; file: string; rule: string; got: string }) =>
    `${d.op}: ${d.rule} in ${d.file}, got ${d.got}; the weights belong to another card, copy the folder again`,
  MODEL_CONFIG: (d: { name: string; rule: string; got: string }) =>
    `Seq2Seq: the configuration's ${d.name} must be ${d.rule}, got ${d.got}; correct it`,
  RECIPE: (d: { op: string; what: string; folder?: string }) =>
    `${d.op}: a run must go on with the ${d.what} that it began with, got another; choose an empty folder for the ` +
    "checkpoints, or give what the first call had",
  TRAIN_GRADIENT: (d: { op: string; step: number; norm: number }) =>
    `${d.op}: gradients must be finite, got a norm of ${d.norm} at step ${d.step}; lower the learning rate and start ` +
    "again from the last checkpoint",
  TRANSLATE_OPTION: (d: { name: string; rule: string; got: number }) =>
    `translate: ${d.name} must be ${d.rule}, got ${d.got}; correct it`,
  MODEL_WRITE: (d: { op: string; folder: string; reason: string }) =>
    `${d.op}: ${d.folder} must be a folder that can be written, got ${d.reason}; name another one`,
};
