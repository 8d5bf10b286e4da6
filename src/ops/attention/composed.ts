import { broadcastTo, matMul, type Tensor, type Tensor3D } from "@tensorflow/tfjs-core";
import type { AttentionProgram } from "../../core/program.ts";
import { tellOfCall } from "./calls.ts";
import { addConstant, cleaned, isKnownFinite, noProduct, strayValues, visibleKeys } from "./guard.ts";
import { headlessParts } from "./headless.ts";
import { type Normalize, type Weighed, weigh } from "./weigh.ts";

/** One head of attention, but for its score. */
export interface ComposedParts {
  /** The scores [B, T, S] of inputs that went through `clean`, which is the identity or `cleaned`. */
  readonly score: (clean: <X extends Tensor>(x: X) => X) => Tensor;
  /** What `score` reads. */
  readonly inputs: readonly Tensor[];
  /** [B, S, Dv] */
  readonly values: Tensor3D;
  /** @default softmax */
  readonly normalize?: Normalize | undefined;
  /** Promise that inputs and values are finite even in hidden places. @default false */
  readonly finite?: boolean | undefined;
}

/** score → mask → normalise → aggregate, of TensorFlow.js ops: output [B, T, Dv] and the stages before it. */
export function composedAttention(
  program: AttentionProgram<Tensor>,
  { score, inputs, values, normalize, finite }: ComposedParts,
): Weighed & { output: Tensor3D } {
  const { B, T, S } = program.shapes;
  const { allow, bias } = headlessParts(program);
  const seen = finite || T * S === 0 ? undefined : visibleKeys(allow, bias);
  const dirtyScores = seen && !inputs.every(isKnownFinite);
  const dirtyValues = seen && !isKnownFinite(values);
  const product = () => score((x) => x);
  const weighed = weigh(program, dirtyScores ? score(cleaned) : product(), {
    allow: dirtyScores ? seen : allow,
    bias,
    normalize,
    raw: dirtyScores ? product() : undefined,
  });
  const { dropped } = weighed;
  let output = (
    T * S === 0
      ? noProduct([dropped, values], [B, T, program.shapes.Dv])
      : matMul(dropped, dirtyValues ? cleaned(values) : values)
  ) as Tensor3D;
  if (dirtyValues) {
    output = addConstant(output, strayValues(dropped, broadcastTo(seen, [B, T, S]), values));
  }
  const told = tellOfCall(output, () => ({ program, weights: () => weighed.weights, values }));
  return { ...weighed, output: told as Tensor3D };
}
