import type { BottleneckParameters } from "../../attention/feature/index.ts";
import { kernelAndBias } from "../base/weights.ts";

/** The weights of a bottleneck over C channels: `reduce/kernel`, `expand/kernel` and their biases. */
export function bottleneckWeights(
  C: number,
  R: number,
  {
    useBias,
    prefix = "",
    last = useBias,
  }: {
    useBias: boolean;
    prefix?: string;
    /** Whether the second layer has a bias. @default useBias */
    last?: boolean;
  },
) {
  return {
    ...kernelAndBias(`${prefix}reduce`, [C, R], useBias),
    ...kernelAndBias(`${prefix}expand`, [R, C], last),
  };
}

/** What the mechanisms call them. */
export function bottleneckParameters<T>(
  weight: (name: string) => T | undefined,
  prefix = "",
): BottleneckParameters {
  return {
    w1: weight(`${prefix}reduce/kernel`),
    b1: weight(`${prefix}reduce/bias`),
    w2: weight(`${prefix}expand/kernel`),
    b2: weight(`${prefix}expand/bias`),
  } as BottleneckParameters;
}
