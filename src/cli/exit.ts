/** Exit codes: `usage` is anything the person can put right (a flag, a file, a download); `unexpected` is our fault. */
export const EXIT = { ok: 0, unexpected: 1, usage: 2 } as const;

/** Ends a command with this exit code, where the command itself has already said why. */
export class Exit extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit code ${code}`);
    this.code = code;
  }
}
