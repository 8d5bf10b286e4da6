/** Weights that stand together in the tables of many layers. */

/**
 * The kernel and the bias of one map: x·kernel + bias, or a convolution of x. The bias is as wide as the kernel's last
 * axis.
 *
 * Symbols: `name` what both names begin with, `query` of `query/kernel` and `query/bias`.
 * Conventions: without `useBias` the bias is false, which a table of weights leaves out.
 *
 * @example
 * kernelAndBias("query", [8, 2], true)["query/bias"]; // { shape: [2], kind: "bias" }
 */
export function kernelAndBias(name: string, shape: readonly number[], useBias: boolean) {
  return {
    [`${name}/kernel`]: { shape, kind: "kernel" as const },
    [`${name}/bias`]: useBias && { shape: shape.slice(-1), kind: "bias" as const },
  };
}
