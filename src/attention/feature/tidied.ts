import * as tf from "@tensorflow/tfjs-core";
import { gateCalls } from "../../ops/gate-calls.ts";

/** `tf.tidy` for results that are objects of tensors, with their type. */
export function tidied<R extends object>(f: () => R): R {
  return tf.tidy(f as unknown as () => tf.TensorContainerObject) as unknown as R;
}

const GATES = ["gate", "map", "rowGate", "columnGate"] as const;
type Gated = { readonly output: tf.Tensor } & { readonly [Name in (typeof GATES)[number]]?: tf.Tensor };

/** `tidied` for what a gate made of its input; a capture is told of each gate in the result. */
export function gated<R extends Gated>(op: string, f: () => R): R {
  return tidied(() => {
    const result = f();
    for (const name of GATES) {
      const gate = result[name];
      if (gate) tellGate(op, name, gate, gate.rank === result.output.rank && gate.rank > 1);
    }
    return result;
  });
}

/** Tells a capture of a gate. */
export function tellGate(op: string, name: string, gate: tf.Tensor, hasBatch = true): void {
  gateCalls.observer?.({ op, name, gate, hasBatch });
}
