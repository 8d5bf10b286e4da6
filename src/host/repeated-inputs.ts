import { layers, SymbolicTensor } from "@tensorflow/tfjs-layers";
import { isFirst } from "./first.ts";

type Layer = layers.Layer;
type Apply = Layer["apply"];

/**
 * Makes models run in which a layer is given one thing twice, `x + attention([x, x])`. TensorFlow.js 4.22 counts such a
 * layer once among those that need x, takes two off when it has run, and disposes x before the others had it: "Tensor is
 * disposed". Here the second x goes through a layer of its own that changes nothing, the linear Activation, which is
 * saved with the model.
 *
 * Done once, however often it is called.
 */
export function patchRepeatedInputs(): void {
  if (!isFirst("repeatedInputs")) return;
  const base = layers.Layer.prototype as Layer;
  const apply = base.apply;
  base.apply = function (this: Layer, inputs: Parameters<Apply>[0], kwargs?: Record<string, unknown>) {
    return apply.call(
      this,
      Array.isArray(inputs) ? (eachOnce(this, inputs) as typeof inputs) : inputs,
      kwargs,
    );
  } as Apply;
}

/** The inputs of a model do not need it: they are never disposed. */
const isDisposedEarly = (x: unknown): x is SymbolicTensor =>
  x instanceof SymbolicTensor && x.sourceLayer.getClassName() !== "InputLayer";

function eachOnce(layer: Layer, inputs: readonly unknown[]): unknown[] {
  return inputs.map((x, at) => {
    if (!isDisposedEarly(x) || inputs.indexOf(x) === at) return x;
    // Named after its place, as names that are counted may stand in a model that is being loaded.
    const name = `${layer.name}_${layer.inboundNodes.length}_input_${at}`;
    return layers.activation({ activation: "linear", name }).apply(x);
  });
}
