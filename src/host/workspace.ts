import { Arena } from "../kernels/wasm/arena.ts";
import type { Workspace } from "../kernels/wasm/attention/pass.ts";
import { SerialSpace } from "../kernels/wasm/space.ts";
import type { Heap } from "./heap.ts";

/** Arenas put their arrays on cache lines; scratch begins on a quarter of one. */
const LINE = 64;

/** Passes over attention on TensorFlow.js' own heap: operands stay where they are, what a pass needs is scratch. */
export class HeapWorkspace implements Workspace {
  readonly space: SerialSpace;
  readonly #heap: Heap;

  constructor(heap: Heap) {
    this.space = new SerialSpace(heap.memory, heap.kernels);
    this.#heap = heap;
  }

  /** Takes from the scratch that is there; where that was too small, once more from a larger one. */
  readonly lay = <T>(op: string, take: (arena: Arena) => T): T => {
    const base = this.#base(op, 0);
    const arena = new Arena(this.space.memory, base);
    const taken = take(arena);
    const enough = this.#base(op, arena.bytes);
    return enough === base ? taken : take(new Arena(this.space.memory, enough));
  };

  #base(op: string, bytes: number): number {
    return Math.ceil(this.#heap.scratch(op, scratchFor(bytes)) / LINE) * LINE;
  }
}

/** Bytes of scratch for so many bytes on cache lines. */
export const scratchFor = (bytes: number): number => bytes + LINE;

const workspaces = new WeakMap<Heap, HeapWorkspace>();

/** The workspace of a heap, made at its first use. */
export function workspaceOf(heap: Heap): HeapWorkspace {
  let workspace = workspaces.get(heap);
  if (!workspace) {
    workspace = new HeapWorkspace(heap);
    workspaces.set(heap, workspace);
  }
  return workspace;
}
