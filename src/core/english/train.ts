/** Messages of weights files, checkpoints, schedules, metrics and the training loop. */
export const trainMessages = {
  SAFETENSORS: (d: { rule: string; got: string }) =>
    `safetensors: ${d.rule}, got ${d.got}; the file is damaged or was made by something else, write or download it again`,
  SAFETENSORS_WRITE: (d: { name: string; rule: string; got: string }) =>
    `encodeSafetensors: ${d.rule}, got ${d.got} for "${d.name}"; correct that entry`,
};
