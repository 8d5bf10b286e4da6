import { reshape, type Tensor, type Tensor3D, type Tensor4D, transpose } from "@tensorflow/tfjs-core";
import {
  checkChoice,
  checkCount,
  checkOptionNames,
  type KnownNames,
  type OptionNames,
} from "../../core/check-options.ts";
import {
  compileModified,
  MODIFICATION_OPTION_NAMES,
  type ModifiedOptions,
} from "../../core/modified-program.ts";
import { type AttentionProgram, PROGRAM_OPTION_NAMES } from "../../core/program.ts";
import { attentionShapes } from "../../core/shapes.ts";
import type { Layout } from "../../kernels/layout.ts";
import { float } from "../registry.ts";
import { type Asked, tidyAsked } from "../tidy.ts";
import { chunkedAttention } from "./chunked/chunked.ts";
import { type ChunkSizes, DEFAULT_CHUNKS } from "./chunked/program.ts";
import { composed, dotScores } from "./composed.ts";
import {
  type AttentionStages,
  type AttentionTensors,
  fusedAttention,
  hasAttentionKernels,
  hasBlockedKernels,
} from "./fused.ts";
import { onceDifferentiable } from "./guard.ts";
import { type AttentionCall, type CallChange, notifyOfCall } from "./observe.ts";

export interface AttentionOptions extends ModifiedOptions<Tensor> {
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
  /**
   * Queries computed at a time where attention is composed, an integer ≥ 1, whether it divides T or not: with it memory
   * grows with T · D and no longer with T · S. The kernels of `heed` have blocks of their own, whatever is asked for.
   * @default 256 with `keyChunkSize`, else all T
   */
  queryChunkSize?: number;
  /** Keys computed at a time there, an integer ≥ 1. @default 1024 with `queryChunkSize`, else all S */
  keyChunkSize?: number;
}

export type AttentionResult<O = AttentionOptions> = { output: Tensor4D } & Asked<O, "weights", Tensor4D> &
  Asked<O, "lse", Tensor3D>;

export const WANTED_OPTION_NAMES: OptionNames<Omit<AttentionOptions, keyof ModifiedOptions>> = {
  ...{ weights: true, lse: true, layout: true, finite: true, queryChunkSize: true, keyChunkSize: true },
};

/** What a compiled program is asked for. */
export type AttentionWants = Pick<AttentionOptions, "weights" | "lse" | "finite"> & {
  readonly chunks?: ChunkSizes | undefined;
};

/**
 * The program of one call, and what it is asked for.
 *
 * @throws what `attention` throws for shapes and options · OptionError UNKNOWN for an option that does not exist
 */
export function compileAttention(op: string, { q, k, v }: AttentionTensors, options: AttentionOptions) {
  const { layout = "bhtd", ...given } = options;
  checkChoice(op, "layout", layout, ["bhtd", "bthd"]);
  const asked = wantsOf(op, options);
  const program = compileModified(op, attentionShapes(op, q, k, v, layout), given);
  return { program, layout, asked };
}

/**
 * What is asked for among the options of a call; the place where options that nobody has are refused.
 *
 * @param others the names of options that a mechanism has of its own
 * @throws OptionError OPTION, UNKNOWN
 */
export function wantsOf(
  op: string,
  options: Omit<AttentionOptions, "layout">,
  ...others: readonly KnownNames[]
): AttentionWants {
  checkOptionNames(
    op,
    options,
    PROGRAM_OPTION_NAMES,
    MODIFICATION_OPTION_NAMES,
    WANTED_OPTION_NAMES,
    ...others,
  );
  const { weights, lse, finite, queryChunkSize: queries, keyChunkSize: keys } = options;
  const asked = {
    ...(weights !== undefined && { weights }),
    ...(lse !== undefined && { lse }),
    ...(finite !== undefined && { finite }),
  };
  if (queries === undefined && keys === undefined) return asked;
  const chunks = {
    queryChunkSize: queries ?? DEFAULT_CHUNKS.queryChunkSize,
    keyChunkSize: keys ?? DEFAULT_CHUNKS.keyChunkSize,
  };
  for (const [name, size] of Object.entries(chunks)) checkCount(op, name, size);
  return { ...asked, chunks };
}

/** Attention of a compiled program, for mechanisms that check their own inputs. */
export function runAttention<O = AttentionWants>(
  program: AttentionProgram<Tensor>,
  layout: Layout,
  { q, k, v }: AttentionTensors,
  { weights, lse, finite, chunks }: AttentionWants,
): AttentionResult<O> {
  const { B, H, T, S, Dv } = program.shapes;
  const output = layout === "bhtd" ? [B, H, T, Dv] : [B, T, H, Dv];
  const shapes = { output, lse: [B, H, T], weights: [B, H, T, S] };
  const callOf = (given: AttentionProgram<Tensor>, tensors: AttentionTensors) => {
    const { q, k, v } = tensors;
    const hasKernels = chunks ? hasBlockedKernels() : hasAttentionKernels();
    const stages = hasKernels
      ? fusedAttention(given, layout, tensors, shapes)
      : composedAttention(given, layout, { q: float(q), k: float(k), v: float(v) }, { finite, chunks });
    return {
      ...stages,
      program: given,
      scored: { layout, q, k },
      values: v,
      again: ({ program: other = given, values = v, ...scored }: CallChange): AttentionCall =>
        callOf(other, { q, k, v: values, ...scored }),
    };
  };
  return tidyAsked((): AttentionResult => {
    const call = callOf(program, { q, k, v });
    return {
      output: notifyOfCall(call) as Tensor4D,
      ...(weights && { weights: call.weights() as Tensor4D }),
      ...(lse && { lse: call.lse() as Tensor3D }),
    };
  });
}

/** Heads first, or back. */
export function swapped(x: Tensor, layout: Layout): Tensor {
  if (layout === "bhtd") return x;
  const [B, rows, columns, width] = x.shape as [number, number, number, number];
  // Nothing to move: see `ofNothing`.
  return x.size === 0 ? reshape(x, [B, columns, rows, width]) : transpose(x, [0, 2, 1, 3]);
}

function mapValues<X>(given: Readonly<Record<string, X>>, f: (x: X) => X): Record<string, X> {
  return Object.fromEntries(Object.entries(given).map(([name, x]) => [name, f(x)]));
}

/** Attention of a compiled program, of TensorFlow.js ops. */
function composedAttention(
  given: AttentionProgram<Tensor>,
  layout: Layout,
  tensors: AttentionTensors,
  { finite, chunks }: Pick<AttentionWants, "finite" | "chunks">,
): AttentionStages {
  const once = (x: Tensor) => onceDifferentiable(given.op, x);
  const program = {
    ...given,
    bias: given.bias && { ...given.bias, array: once(given.bias.array) },
    sink: typeof given.sink === "object" ? once(given.sink) : given.sink,
    modification: given.modification && {
      ...given.modification,
      tensors: mapValues(given.modification.tensors, (x) => (x.dtype === "float32" ? once(x) : x)),
    },
  };
  const headsFirst = (x: Tensor) => swapped(once(x), layout);
  const [q, k, v] = [headsFirst(tensors.q), headsFirst(tensors.k), headsFirst(tensors.v)];
  const dense = () =>
    composed(program, {
      score: (clean) => dotScores(program, clean(q), clean(k)),
      inputs: [tensors.q, tensors.k],
      values: v,
      original: tensors.v,
      finite,
    });
  const { B, T, S } = program.shapes;
  // Functions of scores are made of arrays of T × S here; see `scoreMod`.
  if (chunks && !program.modification && B * T * S > 0) {
    const { output, lse } = chunkedAttention(program, [q, k, v], { ...chunks, original: tensors.v, finite });
    // Who asks for the weights has room for them.
    return { output: swapped(output, layout), lse: () => lse, weights: () => dense().weights };
  }
  const { output, weights, lse } = dense();
  return { output: swapped(output, layout), lse, weights: () => weights };
}
