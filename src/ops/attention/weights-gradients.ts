import {
  add,
  div,
  logicalNot,
  matMul,
  mul,
  neg,
  reshape,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
  tidy,
  transpose,
  where,
  zerosLike,
} from "@tensorflow/tfjs-core";
import type { Modification } from "../../core/expression/modification.ts";
import type { AttentionAttributes } from "../../host/ops/attention.ts";
import { cleaned } from "./guard.ts";
import { modificationGradients } from "./modify.ts";

export interface WeightsTensors {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly lse: Tensor;
  readonly weights: Tensor;
  readonly bias?: Tensor | undefined;
  /** Flags like lse of rows that see no key and have weights all the same, which no score moves. */
  readonly empty?: Tensor | undefined;
  /** Those that `scoreMod` and `maskMod` read, by name. */
  readonly tensors?: Readonly<Record<string, Tensor>>;
}

/**
 * The gradients of Σ dweights·weights where weights = e^(score − lse):
 *
 *     dscore = weights · dweights,    dlse_i = −Σ_j dscore_ij
 *
 * The rest of the softmax' gradient comes from that of lse. Of TensorFlow.js ops: who asks for the weights has room
 * for a few arrays of their size.
 */
export function weightsGradients(
  { program, layout }: Pick<AttentionAttributes, "program" | "layout">,
  { q, k, lse, weights, bias, empty, tensors = {} }: WeightsTensors,
  dweights: Tensor,
): { q: Tensor; k: Tensor; lse: Tensor; bias?: Tensor; tensors?: Record<string, Tensor> } {
  const { B, H, Hkv, T, S, D } = program.shapes;
  const { scale, softCap, modification } = program;
  // What no query sees may hold NaN.
  const rowsOf = (x: Tensor, heads: number, rows: number) =>
    layout === "bhtd"
      ? reshape(cleaned(x), [B, Hkv, (heads / Hkv) * rows, D])
      : reshape(transpose(reshape(cleaned(x), [B, rows, heads, D]), [0, 2, 1, 3]), [
          B,
          Hkv,
          (heads / Hkv) * rows,
          D,
        ]);
  const back = (x: Tensor, heads: number, rows: number, { shape }: Tensor) =>
    layout === "bhtd"
      ? reshape(x, shape)
      : reshape(transpose(reshape(x, [B, heads, rows, D]), [0, 2, 1, 3]), shape);
  if (T * S === 0) {
    const [dq, dk, dlse] = [q, k, lse].map((x) => zerosLike(x)) as [Tensor, Tensor, Tensor];
    return { q: dq, k: dk, lse: dlse, ...(bias && { bias: zerosLike(bias) }) };
  }
  return tidy(() => {
    let dscores = reshape(mul(weights, dweights), [B, H, T, S]);
    if (empty) dscores = where(reshape(logicalNot(empty), [B, H, T, 1]), dscores, 0);
    const [queries, keys] = [rowsOf(q, H, T), rowsOf(k, Hkv, S)];
    const dlse = reshape(neg(sum(dscores, -1)), lse.shape);
    const products = () => mul(matMul(queries, keys, false, true), scale);
    const capped = (x: Tensor) => (softCap === undefined ? x : mul(tanh(div(x, softCap)), softCap));
    let learned: Record<string, Tensor> = {};
    if (modification) {
      const plain = reshape(capped(products()), [B, H, T, S]);
      const given = { ...modification, tensors } as Modification<Tensor>;
      const all = modificationGradients(given, program.shapes, bias ? add(plain, bias) : plain, dscores);
      dscores = all.score;
      learned = all.tensors;
    }
    let dproducts: Tensor = mul(reshape(dscores, [B, Hkv, (H / Hkv) * T, S]), scale);
    if (softCap !== undefined) {
      dproducts = mul(dproducts, sub(1, square(tanh(div(products(), softCap)))));
    }
    return {
      q: back(matMul(dproducts, keys), H, T, q),
      k: back(matMul(dproducts, queries, true), Hkv, S, k),
      lse: dlse,
      ...(bias && { bias: sumToShape(dscores, bias.shape) }),
      ...(modification && { tensors: learned }),
    };
  });
}

/** Sums [B, H, T, S] over the axes on which an array of this shape was repeated. */
export function sumToShape(x: Tensor, shape: number[]): Tensor {
  const full = [...new Array(x.rank - shape.length).fill(1), ...shape];
  const axes = full.flatMap((n, axis) => (n === 1 && x.shape[axis] !== 1 ? [axis] : []));
  return reshape(axes.length > 0 ? sum(x, axes) : x, shape);
}
