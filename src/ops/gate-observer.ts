import type { Tensor } from "@tensorflow/tfjs-core";

/** A gate as it is applied. Its tensors are gone when the call is over. */
export interface GateCall {
  /** The function that made it. */
  readonly op: string;
  /** Which of its gates. */
  readonly name: string;
  readonly gate: Tensor;
  /** What came out; where the gate has as many axes, its first one is the batch too. */
  readonly output: Tensor;
}

export type GateObserver = (call: GateCall) => void;

let current: GateObserver | undefined;

/** Who is told of each gate; undefined but during a capture, so that calls pay nothing for it. */
export function gateObserver(): GateObserver | undefined {
  return current;
}

/** Runs `work` while `observer` is told of each gate in it; an observer before it comes back after. */
export function observeGates<T>(observer: GateObserver, work: () => T): T {
  const before = current;
  current = observer;
  try {
    return work();
  } finally {
    current = before;
  }
}
