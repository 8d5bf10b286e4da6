/** Messages of weights files, checkpoints, schedules, metrics and the training loop. */
export const trainMessages = {
  SAFETENSORS: (d: { rule: string; got: string }) =>
    `safetensors: ${d.rule}, got ${d.got}; the file is damaged or was made by something else, write or download it again`,
  SAFETENSORS_WRITE: (d: { name: string; rule: string; got: string }) =>
    `encodeSafetensors: ${d.rule}, got ${d.got} for "${d.name}"; correct that entry`,
  CHECKPOINT_FILE: (d: { action: string; path: string; reason: string }) =>
    `checkpoint: ${d.path} must be a place that can be ${d.action}, got ${d.reason}; check the folder, its rights and the free space`,
  CHECKPOINT_SUM: (d: { written: string; found: string }) =>
    `checkpoint: the file must have the SHA-256 written in it, ${d.written}, got ${d.found}; it is damaged, use the checkpoint before`,
  CHECKPOINTS_BROKEN: (d: { files: readonly string[]; newest: string; reason: string }) =>
    `trainLoop: a run goes on from a checkpoint that can be read, got none in ${d.files.join(", ")} (${d.newest}: ` +
    `${d.reason}); mend their rights or bring them back, or remove them to begin again at step 0`,
  CHECKPOINT_STATE: (d: { name: string; got: string }) =>
    `checkpoint: every number of the state must be finite, got ${d.got} for "${d.name}"; save null in its place`,
  TRAIN_OPTION: (d: { op: string; option: string; rule: string; got: string }) =>
    `${d.op}: ${d.option} ${d.rule}, got ${d.got}; pass another value`,
  METRIC_SEGMENTS: (d: { op: string; rule: string; got: string }) =>
    `${d.op}: ${d.rule}, got ${d.got}; pass one list of references for each hypothesis`,
  METRIC_ALIGNMENTS: (d: { op: string; alignments: number; gold: number }) =>
    `${d.op}: each of the ${d.alignments} alignments needs a gold alignment, got ${d.gold}; pass one for each sentence`,
  TRAIN_LOSS: (d: { step: number; loss: number }) =>
    `trainLoop: the loss of each step must be finite, got ${d.loss} at step ${d.step}; lower the learning rate or clip the gradients`,
};
