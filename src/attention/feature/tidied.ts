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
    const tell = gateCalls.observer;
    if (tell)
      for (const name of GATES) {
        const gate = result[name];
        if (gate) tell({ op, name, gate, output: result.output });
      }
    return result;
  });
}
