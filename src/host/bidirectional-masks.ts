import { cast, expandDims, serialization, type Tensor, tidy, where, zerosLike } from "@tensorflow/tfjs-core";
import type { layers } from "@tensorflow/tfjs-layers";

interface Bidirectional extends layers.Layer {
  readonly returnSequences: boolean;
  readonly mergeMode: string | null;
}
type Call = layers.Layer["call"];

/**
 * Makes `bidirectional` give 0 in the steps that a mask hides, as Keras does, where it returns sequences. TensorFlow.js
 * 4.22 carries on the state that came before. (A recurrent layer by itself does so in Keras too.)
 */
export function patchBidirectional(): void {
  const { classNameMap } = serialization.SerializationMap.getMap();
  const prototype = classNameMap.Bidirectional![0].prototype as unknown as Bidirectional;
  const call = prototype.call;
  prototype.call = function (this: Bidirectional, inputs, kwargs) {
    const mask = [kwargs?.mask as Tensor | Tensor[] | undefined].flat()[0];
    const outputs = call.call(this, inputs, kwargs) as Tensor | Tensor[];
    if (!mask || !this.returnSequences) return outputs;
    const sequences = this.mergeMode === null ? 2 : 1;
    const hidden = (x: Tensor) => tidy(() => where(cast(expandDims(mask, -1), "bool"), x, zerosLike(x)));
    if (!Array.isArray(outputs)) return hidden(outputs);
    return outputs.map((x, at) => (at < sequences ? hidden(x) : x));
  } as Call;
}
