import { byDefault, flag, integer, number, optional, seed, weightFields } from "../base/index.ts";

/** Kernels, biases and their seed. */
export const layerFields = {
  ...weightFields("kernel", "glorotUniform"),
  ...weightFields("bias", "zeros"),
  seed: seed(),
};

/** Adds biases. @default true */
export const useBias = byDefault(flag(), true);

/** A size that has a middle. */
export const oddSize = number(
  "an odd integer ≥ 1",
  (given) => Number.isSafeInteger(given) && given % 2 === 1 && given > 0,
);

/** The width of a bottleneck, as `reducedWidth` takes it. */
export const bottleneckFields = (ratio: number) => ({
  /** How many times narrower than the channels. */
  ratio: byDefault(
    number("a positive number", (given) => given > 0 && given < Infinity),
    ratio,
  ),
  /** Round the width to a multiple of this, as timm does with 8. @default rounds down, to 1 at least */
  divisor: optional(integer(1)),
});
