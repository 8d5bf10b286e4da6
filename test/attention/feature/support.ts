/** Calls of the mechanisms over features by name, with parameters in one flat list: `channel.w1`, `branches.0.w`. */
import type * as tf from "@tensorflow/tfjs-core";
import * as feature from "../../../src/attention/feature/index.ts";

export type Flat = Record<string, tf.Tensor>;

/** `{ "a.b": t, "c.0": u }` as `{ a: { b: t }, c: [u] }`. */
export function nested(flat: Flat): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(flat)) {
    const keys = path.split(".");
    let at = root;
    for (const [n, key] of keys.slice(0, -1).entries()) {
      at[key] ??= /^\d+$/.test(keys[n + 1]!) ? [] : {};
      at = at[key] as Record<string, unknown>;
    }
    at[keys.at(-1)!] = value;
  }
  return root;
}

type Results = Record<string, tf.Tensor | Record<string, tf.Tensor>> & { output: tf.Tensor };
type Call = (inputs: Flat, parameters: never, options: never) => Results;

const ofImages =
  <P, O>(f: (x: tf.Tensor4D, parameters: P, options: O) => object) =>
  ({ x }: Flat, parameters: P, options: O) =>
    f(x as tf.Tensor4D, parameters, options) as Results;

export const CALLS = {
  sigmoidGate: ({ x }: Flat) => feature.sigmoidGate(x!) as unknown as Results,
  learnableGate: ofImages(feature.learnableGate),
  projectedGate: ofImages(feature.projectedGate),
  elementMlpGate: ofImages(feature.elementMlpGate),
  contextualGate: ({ x, context }: Flat, parameters: feature.ContextualGateParameters) =>
    feature.contextualGate(x!, context!, parameters) as unknown as Results,
  gatedPooling: ({ x, gate }: Flat, _: unknown, options: feature.GatedPoolingOptions) =>
    feature.gatedPooling(x as tf.Tensor3D, gate!, options) as Results,
  squeezeExcitation: ofImages(feature.squeezeExcitation),
  efficientChannelAttention: ofImages(feature.efficientChannelAttention),
  channelAttention: ofImages(feature.channelAttention),
  spatialAttention: ofImages(feature.spatialAttention),
  cbam: ofImages(feature.cbam),
  bam: ofImages(feature.bam),
  globalContext: ofImages(feature.globalContext),
  selectiveKernel: ofImages(
    (x, p: feature.SelectiveKernelParameters, { dilations = [1, 2] }: { dilations?: number[] } = {}) =>
      feature.selectiveKernel(x, {
        ...p,
        branches: p.branches.map((branch, m) => ({ ...branch, dilation: dilations[m] })),
      }),
  ),
  coordinateAttention: ofImages(feature.coordinateAttention),
  tripletAttention: ofImages(feature.tripletAttention),
  nonLocal: ofImages(feature.nonLocal),
  externalAttention: ofImages(feature.externalAttention),
  axialAttention: ofImages(feature.axialAttention),
  crissCrossAttention: ofImages(feature.crissCrossAttention),
} as unknown as Record<string, Call>;

/** One call by its name. */
export function call(name: string, inputs: Flat, parameters: Flat, options: object): Results {
  return CALLS[name]!(inputs, nested(parameters) as never, options as never);
}

/** A flat list as tensors to differentiate by, and the call as a function of them. */
export function outputOf(name: string, inputNames: readonly string[], options: object) {
  return (all: Flat): tf.Tensor => {
    const entries = Object.entries(all);
    const inputs = Object.fromEntries(entries.filter(([key]) => inputNames.includes(key)));
    const parameters = Object.fromEntries(entries.filter(([key]) => !inputNames.includes(key)));
    return call(name, inputs, parameters, options).output;
  };
}
