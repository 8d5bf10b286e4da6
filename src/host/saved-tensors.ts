import { clone, engine, keep, type Tensor } from "@tensorflow/tfjs-core";
import { OptionError } from "../core/errors.ts";
import { forgetTape } from "./tape.ts";

/** An operation on the tape, and what was saved of it for its gradient. */
export interface SavedCall {
  readonly name: string;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly outputs: readonly Tensor[];
  readonly saved: readonly Tensor[];
}

/** The memory of every variable that there is. */
export function memoryOfVariables(): ReadonlySet<object> {
  return new Set(Object.values(engine().state.registeredVariables).map(({ dataId }) => dataId));
}

/** How saved tensors are held until their gradient is made. */
export interface SavedStore {
  /** The operation as its caller wrote it. */
  readonly op: string;
  /** What to do with each of `saved`: hold it another way, hold its shape alone, or leave it. */
  plan(call: SavedCall): readonly ("pack" | "shape" | "leave")[];
  pack(x: Tensor): Tensor;
  unpack(packed: Tensor, like: Tensor): Tensor;
}

interface TapeNode {
  saved: Tensor[];
  gradient?: (dys: Tensor[]) => unknown;
}

type AddTapeNode = (
  name: string,
  inputs: unknown,
  outputs: Tensor[],
  gradient: unknown,
  saved: Tensor[],
  attrs: object | undefined,
) => void;

interface Recorder {
  addTapeNode: AddTapeNode;
  state: { kernelDepth: number; gradientDepth: number; activeTape: TapeNode[] };
}

/**
 * Has everything that a tape saves while `run` runs held as `store` says: packed as soon as the operation has run, once
 * for all operations that save the same tensor, and unpacked for one operation at a time when the gradients are made.
 * Gradients must be made within `run`, and gradients of gradients outside of it.
 *
 * @throws OptionError GRADIENT when a gradient is differentiated itself
 */
export function storeSaved<R>(store: SavedStore, run: () => R): R {
  const recorder = engine() as unknown as Recorder;
  const outer = Object.getOwnPropertyDescriptor(recorder, "addTapeNode");
  const inner = recorder.addTapeNode;
  /** The packed forms of what is saved, by the memory that it has. */
  const packed = new WeakMap<object, Tensor>();
  let release = () => {};

  /** Runs operations that no tape sees. */
  const offTape = <T>(make: () => T): T => {
    recorder.state.kernelDepth++;
    try {
      return make();
    } finally {
      recorder.state.kernelDepth--;
    }
  };

  const hold = (x: Tensor): Tensor => {
    const known = packed.get(x.dataId);
    const held = offTape(() => keep(known && !known.isDisposed ? clone(known) : store.pack(x)));
    packed.set(x.dataId, held);
    return held;
  };

  recorder.addTapeNode = (name, inputs, outputs, gradient, saved, attrs) => {
    const plan = store.plan({ name, attrs: (attrs ?? {}) as Record<string, unknown>, outputs, saved });
    const originals = [...saved];
    for (const [n, x] of originals.entries()) {
      if (plan[n] === "pack") saved[n] = hold(x);
      // A tensor that is disposed still knows its shape.
      if (plan[n] === "pack" || plan[n] === "shape") x.dispose();
    }
    inner.call(recorder, name, inputs, outputs, gradient, saved, attrs);
    const node = recorder.state.activeTape.at(-1)!;
    const make = node.gradient;
    if (!make || !plan.includes("pack")) return;
    node.gradient = (dys) => {
      // No tape saw the packing, so that a gradient of this gradient would be wrong without a word.
      if (recorder.state.gradientDepth > 0) throw noSecondOrder(store.op);
      release();
      const held = [...saved];
      for (const [n, x] of originals.entries()) {
        if (plan[n] === "pack") saved[n] = keep(store.unpack(held[n]!, x));
      }
      // Gradients are made later, from what `saved` holds now: it stays until the next operation's are asked for.
      release = () => {
        release = () => {};
        for (const [n, x] of held.entries()) {
          if (plan[n] !== "pack") continue;
          // The tape has been cleared meanwhile: it disposed of what it found.
          if (saved[n]!.isDisposed) x.dispose();
          saved[n]!.dispose();
          saved[n] = x;
        }
      };
      return make(dys);
    };
  };
  try {
    return run();
  } catch (error) {
    release();
    forgetTape();
    throw error;
  } finally {
    release();
    if (outer) Object.defineProperty(recorder, "addTapeNode", outer);
    else delete (recorder as Partial<Recorder>).addTapeNode;
  }
}

function noSecondOrder(op: string): OptionError<"GRADIENT"> {
  return new OptionError("GRADIENT", {
    op,
    rule: "gradients of gradients are not available within it",
    got: "a request for one",
    remedy: "make them outside of it, in float32",
  });
}
