import { byDefault, flag, integer, optional, positive, seed, weightFields } from "../base/index.ts";

/** Kernels, biases and their seed. */
export const layerFields = {
  ...weightFields("kernel", "glorotUniform"),
  ...weightFields("bias", "zeros"),
  seed: seed(),
};

/** Adds biases. @default true */
export const useBias = byDefault(flag(), true);

/** The width of a bottleneck, as `reducedWidth` takes it. */
export const bottleneckFields = (ratio: number) => ({
  /** How many times narrower than the channels. */
  ratio: byDefault(positive(), ratio),
  /** Round the width to a multiple of this, as timm does with 8. @default rounds down, to 1 at least */
  divisor: optional(integer(1)),
});
