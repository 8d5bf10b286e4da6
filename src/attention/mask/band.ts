import * as tf from "@tensorflow/tfjs-core";
import { compileProgram, type ProgramOptions } from "../../core/program.ts";
import { allowTensor } from "../../ops/attention/mask.ts";

/** One example's mask [T, S] of options that need no data; all true where nothing is hidden. */
export function bandTensor(
  op: string,
  T: number,
  S: number,
  options: ProgramOptions<tf.Tensor>,
): tf.Tensor2D {
  return tf.tidy(() => {
    const shapes = { B: 1, T, S, H: 1, Hkv: 1, D: 1, Dv: 1 };
    const mask = allowTensor(compileProgram(op, shapes, options));
    return tf.reshape(mask ?? tf.ones([T, S], "bool"), [T, S]);
  });
}
