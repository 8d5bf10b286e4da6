import { Arena } from "../arena.ts";
import type { Workspace } from "./pass.ts";

/** Leaves a pass that has said what memory it takes, before it touches any. */
class Laid {
  readonly bytes: number;

  constructor(bytes: number) {
    this.bytes = bytes;
  }
}

/**
 * Bytes that a pass takes in the kernels' memory, from the pass itself: it lays out what it needs, as ever, and is left there.
 * Nothing is taken, read or written.
 */
export function bytesOfPass({ space }: Workspace, run: (workspace: Workspace) => unknown): number {
  const lay = <T>(_op: string, take: (arena: Arena) => T): T => {
    const arena = new Arena(space.memory);
    take(arena);
    throw new Laid(arena.bytes);
  };
  try {
    run({ space, lay });
  } catch (thrown) {
    if (thrown instanceof Laid) return thrown.bytes;
    throw thrown;
  }
  return 0;
}
