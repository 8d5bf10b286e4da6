import {
  any,
  cast,
  clone,
  concat,
  logicalAnd,
  logicalOr,
  ones,
  reshape,
  serialization,
  Tensor,
  tidy,
} from "@tensorflow/tfjs-core";
import { layers } from "@tensorflow/tfjs-layers";
import { patchBidirectional } from "./bidirectional-masks.ts";
import { isFirst } from "./first.ts";

type Layer = layers.Layer;
type Apply = Layer["apply"];
type Inputs = Parameters<Apply>[0];
type Kwargs = Record<string, unknown>;
type MaskedTensor = Tensor & { kerasMask?: Tensor | null | undefined };

/** A layer that takes a list of masks, one for each of its inputs. */
interface TakesMasks {
  readonly takesMasks: true;
}

const toList = <T>(x: T | T[]): T[] => (Array.isArray(x) ? x : [x]);

/**
 * Makes Keras' masks reach layers. TensorFlow.js 4.22 computes them, and then a model hands each layer the mask of its
 * first input alone, hands it on to layers of other branches, whose inputs have none, loses it behind layers that
 * return what they were given, such as Dropout outside training, and gives it an axis too many behind Add and its kin.
 * From here on every layer gets the masks of its own inputs: `kwargs.mask` is that of the first, or a list for layers
 * that say `takesMasks`.
 *
 * Masks that the caller of `apply` gives stay as they are, for a list of inputs only as a list: one mask beside a list
 * looks like what a model hands over. Done once, however often it is called.
 */
export function patchLayerMasks(): void {
  if (!isFirst("layerMasks")) return;
  const base = layers.Layer.prototype as Layer;
  const apply = base.apply;
  base.apply = function (this: Layer, inputs: Inputs, kwargs?: Kwargs) {
    const masks = masksOf(inputs, kwargs);
    if (!masks) return apply.call(this, inputs, kwargs);
    const outputs = apply.call(this, inputs, withMasks(this, kwargs, masks));
    if (this.supportsMasking && masks.some(Boolean)) {
      handOn(this, inputs as Tensor | Tensor[], masks, outputs as Tensor | Tensor[]);
    }
    return outputs;
  } as Apply;
  // Recurrent layers take their list of inputs apart before they come to the method above.
  const { classNameMap } = serialization.SerializationMap.getMap();
  for (const [{ prototype }] of Object.values(classNameMap) as unknown as [{ prototype: Layer }][]) {
    if (!(prototype instanceof layers.Layer) || !Object.hasOwn(prototype, "apply")) continue;
    const own = prototype.apply;
    prototype.apply = function (this: Layer, inputs: Inputs, kwargs?: Kwargs) {
      const masks = masksOf(inputs, kwargs);
      return own.call(this, inputs, masks ? withMasks(this, kwargs, masks) : kwargs);
    } as Apply;
  }
  // Add, Multiply and the others inherit it; Concatenate has its own, and Dot none.
  const merge = Object.getPrototypeOf(classNameMap.Add![0].prototype) as Layer;
  merge.computeMask = (_, mask) => mergedMask(toList(mask ?? null)) as Tensor;
  const concatenate = classNameMap.Concatenate![0].prototype as unknown as Layer & { axis: number };
  concatenate.computeMask = function (inputs, mask) {
    return joinedMask(toList(inputs), toList(mask ?? null), this.axis) as Tensor;
  };
  patchBidirectional();
}

/** As in Keras 3: a position is there where any of its channels is, and an input without a mask is there everywhere. */
function joinedMask(inputs: Tensor[], masks: (Tensor | null | undefined)[], axis: number): Tensor | null {
  const given = masks.filter((mask) => mask instanceof Tensor);
  if (given.length === 0) return null;
  return tidy(() => {
    const whole = inputs.map(({ shape }, at) => {
      const [mask, everywhere] = [masks[at], ones(shape, "bool")];
      if (!mask) return everywhere;
      const sizes = shape.map((_, n) => mask.shape[n] ?? 1);
      return logicalAnd(everywhere, cast(reshape(mask, sizes), "bool"));
    });
    const joined = concat(whole, axis);
    const kept = Math.min(joined.rank - 1, ...given.map(({ rank }) => rank));
    return any(
      joined,
      joined.shape.map((_, n) => n).filter((n) => n >= kept),
    );
  });
}

/** As in Keras 3: a sum is there where one of its inputs is, and an input without a mask is there everywhere. */
function mergedMask(masks: (Tensor | null | undefined)[]): Tensor | null {
  if (!masks.every(Boolean)) return null;
  return tidy(() => masks.map((mask) => cast(mask!, "bool")).reduce((a, b) => logicalOr(a, b)));
}

/** The masks of inputs, one for each; undefined for inputs that are symbolic. */
function masksOf(inputs: Inputs, kwargs: Kwargs | undefined): (Tensor | null)[] | undefined {
  const tensors = toList<unknown>(inputs) as MaskedTensor[];
  if (!tensors.every((x) => x instanceof Tensor)) return undefined;
  if (isGiven(inputs, kwargs?.mask)) {
    const given = toList(kwargs!.mask as Tensor | Tensor[]);
    return tensors.map((_, at) => given[at] ?? null);
  }
  return tensors.map(({ kerasMask }) => (kerasMask && !kerasMask.isDisposed ? kerasMask : null));
}

/**
 * Whether the caller gave the mask. The executor of models does so too, but always with a list of inputs and one mask,
 * which is right for one input and for the first branch only.
 */
function isGiven(inputs: unknown, mask: unknown): boolean {
  return mask !== undefined && mask !== null && (Array.isArray(mask) || !Array.isArray(inputs));
}

function withMasks(layer: Layer, kwargs: Kwargs | undefined, masks: (Tensor | null)[]): Kwargs {
  const { mask: _, ...rest } = kwargs ?? {};
  if (!masks.some(Boolean)) return rest;
  return { ...rest, mask: (layer as Partial<TakesMasks>).takesMasks ? masks : (masks[0] ?? undefined) };
}

function handOn(
  layer: Layer,
  inputs: Tensor | Tensor[],
  masks: (Tensor | null)[],
  outputs: Tensor | Tensor[],
): void {
  const given = (masks.length > 1 ? masks : masks[0]) as Tensor | Tensor[];
  const computed = toList<Tensor | null>(layer.computeMask(inputs, given) as Tensor | Tensor[]);
  (toList(outputs) as MaskedTensor[]).forEach((output, at) => {
    const mask = computed[at] ?? undefined;
    if (output.kerasMask !== mask) output.kerasMask?.dispose();
    // A tensor takes its mask with it when it is disposed, so each has its own.
    output.kerasMask = mask && masks.includes(mask) ? clone(mask) : mask;
  });
}
