import {
  type Tensor,
  type Tensor3D,
  type Tensor4D,
  type TensorContainerObject,
  tidy,
} from "@tensorflow/tfjs-core";
import { checkChoice } from "../../core/check-options.ts";
import { type AttentionProgram, compileProgram, type ProgramOptions } from "../../core/program.ts";
import { attentionShapes } from "../../core/shapes.ts";
import type { Layout } from "../../kernels/layout.ts";
import { tellOfCall } from "./calls.ts";
import { float } from "./float.ts";
import { type AttentionTensors, fusedAttention, hasAttentionKernels } from "./fused.ts";
import { composedSoftAttention } from "./soft.ts";

export interface AttentionOptions extends ProgramOptions<Tensor> {
  /** Return the weights [B, H, T, S], before dropout and without the sink's share. @default false */
  weights?: boolean;
  /** Return the log-sum-exp of the scores [B, H, T], natural logarithm. @default false */
  lse?: boolean;
  /**
   * Order of the axes of q, k, v and output: heads before positions, or "bthd", [B, T, H, D]. Nothing is copied for
   * it where the backend has the kernels. @default "bhtd"
   */
  layout?: "bhtd" | "bthd";
  /**
   * Promise that q, k and v hold finite numbers even in hidden places: where attention is composed it saves looking
   * for NaN, and on devices whose answer would have to be waited for (WebGL) a second product. @default false
   */
  finite?: boolean;
}

export type AttentionResult<O> = { output: Tensor4D } & (O extends { weights: true }
  ? { weights: Tensor4D }
  : { weights?: Tensor4D }) &
  (O extends { lse: true } ? { lse: Tensor3D } : { lse?: Tensor3D });

/** `attention` under the name that errors are to give. */
export function callAttention(
  op: string,
  q: Tensor4D,
  k: Tensor4D,
  v: Tensor4D,
  options: AttentionOptions,
): AttentionResult<AttentionOptions> {
  const { program, layout, asked } = compileAttention(op, { q, k, v }, options);
  return runAttention(program, layout, { q, k, v }, asked);
}

/**
 * The program of one call, and what it is asked for besides.
 *
 * @throws what `attention` throws for shapes and options
 */
export function compileAttention(op: string, { q, k, v }: AttentionTensors, options: AttentionOptions) {
  const { layout = "bhtd", weights, lse, finite, ...given } = options;
  checkChoice(op, "layout", layout, ["bhtd", "bthd"]);
  const program = compileProgram(op, attentionShapes(op, q, k, v, layout), given);
  return { program, layout, asked: { weights, lse, finite } };
}

/** Attention of a compiled program, for mechanisms that check their own inputs. */
export function runAttention(
  program: AttentionProgram<Tensor>,
  layout: Layout,
  { q, k, v }: AttentionTensors,
  { weights, lse, finite }: Pick<AttentionOptions, "weights" | "lse" | "finite">,
): AttentionResult<AttentionOptions> {
  const { B, H, T, S, Dv } = program.shapes;
  return tidy(() => {
    const output = layout === "bhtd" ? [B, H, T, Dv] : [B, T, H, Dv];
    const stages = hasAttentionKernels()
      ? fusedAttention(program, layout, { q, k, v }, { output, lse: [B, H, T], weights: [B, H, T, S] })
      : composedSoftAttention(program, layout, { q: float(q), k: float(k), v: float(v) }, { finite });
    const { lse: logSumExp, weights: shares } = stages;
    return {
      output: tellOfCall(stages.output, () => ({
        ...{ program, lse: logSumExp, weights: shares },
        ...{ scored: { layout, q, k }, values: v },
      })),
      ...(weights && { weights: stages.weights() }),
      ...(lse && { lse: stages.lse() }),
    } as TensorContainerObject;
  }) as unknown as AttentionResult<AttentionOptions>;
}
