import type { Io } from "../../src/cli/io.ts";

export interface FakeIo extends Io {
  out(): string;
  err(): string;
}

/** Streams in memory. Standard input comes in the given chunks, as from a pipe; output is no terminal unless asked. */
export function fakeIo({
  input = [] as (string | Uint8Array)[],
  terminal = false,
  env = {} as Record<string, string>,
} = {}): FakeIo {
  let out = "";
  let err = "";
  const once = () => undefined;
  async function* stdin() {
    for (const chunk of input) yield typeof chunk === "string" ? Buffer.from(chunk) : chunk;
  }
  return {
    stdin: stdin(),
    stdout: {
      write: (text) => {
        out += text;
        return true;
      },
      once,
      isTTY: terminal,
      columns: 80,
      getColorDepth: () => (terminal ? 24 : 1),
    },
    stderr: {
      write: (text) => {
        err += text;
        return true;
      },
      once,
    },
    env,
    out: () => out,
    err: () => err,
  };
}
