import {
  cast,
  notEqual,
  ones,
  reshape,
  type Tensor,
  type Tensor1D,
  where,
  zerosLike,
} from "@tensorflow/tfjs-core";

/**
 * The mask of a recurrent step as its kernels read it, float32 [B]; ones where every row takes the step, because a
 * kernel with a gradient cannot have an input that is sometimes absent (the tape saves it by name).
 */
export function floatMask(mask: Tensor1D | undefined, B: number): Tensor1D {
  if (!mask) return ones([B]);
  return mask.dtype === "float32" ? mask : cast(mask, "float32");
}

/** How a composed step treats the rows whose mask is 0. */
export interface StepMask {
  /** The tensor with zeros in kept rows, so that NaN in the padding meets no arithmetic, backwards either. */
  clean<T extends Tensor>(x: T): T;
  /** `next` where the step is taken, `previous` where the state is kept. */
  choose<T extends Tensor>(next: T, previous: T): T;
}

/** The rules of a composed step for rows of `mask` [B]; without one, every row takes the step. */
export function stepMask(mask: Tensor1D | undefined): StepMask {
  if (!mask) return { clean: (x) => x, choose: (next) => next };
  const taken = reshape(notEqual(mask, 0), [-1, 1]);
  return {
    clean: (x) => where(taken, x, zerosLike(x)),
    choose: (next, previous) => where(taken, next, previous),
  };
}
