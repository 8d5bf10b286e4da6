/** Messages of the `heed` command. */
export const commandMessages = {
  FLAG_VALUE: (d: { command: string; flag: string; rule: string; got: string; remedy: string }) =>
    `${d.command}: ${d.flag} must be ${d.rule}, got ${JSON.stringify(d.got)}; ${d.remedy}`,
  CANNOT_WRITE: (d: { command: string; path: string; reason: string }) =>
    `${d.command}: ${d.path} must be a file that can be written, got ${d.reason}; name another one`,
  CANNOT_READ: (d: { command: string; path: string; reason: string }) =>
    `${d.command}: ${d.path} must be readable, got ${d.reason}; check the name`,
};
