import type * as tf from "@tensorflow/tfjs-core";
import { gateCalls } from "../../ops/observe.ts";
import { tidy } from "../../ops/tidy.ts";

const GATES = ["gate", "map", "rowGate", "columnGate"] as const;
type Gated = { readonly output: tf.Tensor } & { readonly [Name in (typeof GATES)[number]]?: tf.Tensor };

/** `tidy` for what a gate made of its input; the observer is notified of each gate in the result. */
export function gated<R extends Gated>(op: string, f: () => R): R {
  return tidy(() => {
    const result = f();
    for (const name of GATES) {
      const gate = result[name];
      if (gate) notifyGate(op, name, gate, gate.rank === result.output.rank && gate.rank > 1);
    }
    return result;
  });
}

/** Notifies a capture of a gate. */
export function notifyGate(op: string, name: string, gate: tf.Tensor, hasBatch = true): void {
  gateCalls.observer?.({ op, name, gate, hasBatch });
}
