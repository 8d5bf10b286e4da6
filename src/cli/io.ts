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
