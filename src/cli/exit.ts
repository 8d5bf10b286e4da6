/** Exit codes: `usage` is anything the person can put right (a flag, a file, a download); `unexpected` is our fault. */
export const EXIT = { ok: 0, unexpected: 1, usage: 2 } as const;
