import { readFileSync } from "node:fs";

/** The three streams of a process and its environment, as a command sees them; tests pass their own. */
export interface Io {
  stdin: AsyncIterable<Uint8Array> & { isTTY?: boolean; fd?: number };
  stdout: Output & { isTTY?: boolean; columns?: number; getColorDepth?: () => number };
  stderr: Output & { isTTY?: boolean };
  env: Record<string, string | undefined>;
}

/** As much of a writable stream as the commands use: `write` is false when the reader is behind. */
export interface Output {
  write(data: string | Uint8Array): boolean;
  once(event: "drain", listener: () => void): unknown;
}

/** Writes, and waits for a slow reader, so that a long input does not pile up in memory. */
export function write(output: Output, data: string | Uint8Array): Promise<void> {
  if (output.write(data)) return Promise.resolve();
  return new Promise((resolve) => output.once("drain", resolve));
}

/** Exit codes: `usage` is anything the person can put right (a flag, a file, a download); `unexpected` is our fault, or a bar that was missed. */
export const EXIT = { ok: 0, unexpected: 1, usage: 2 } as const;

/** Ends a command with this exit code, where the command itself has already said why. */
export class Exit extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit code ${code}`);
    this.code = code;
  }
}

/** The version in heed's package.json, two folders above this file in the sources and in dist alike. */
export function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
