import { clone, serialization, Tensor } from "@tensorflow/tfjs-core";
import { layers } from "@tensorflow/tfjs-layers";

type Layer = layers.Layer;
type Apply = Layer["apply"];
type Inputs = Parameters<Apply>[0];
type Kwargs = Record<string, unknown>;
type MaskedTensor = Tensor & { kerasMask?: Tensor | null | undefined };

/** A layer that takes a list of masks, one for each of its inputs. */
export interface TakesMasks {
  readonly takesMasks: true;
}

const MENDED = Symbol.for("heed.layerMasks");
const toList = <T>(x: T | T[]): T[] => (Array.isArray(x) ? x : [x]);

/**
 * Makes Keras' masks reach layers. TensorFlow.js 4.22 computes them, and then a model hands each layer the mask of its
 * first input alone, hands it on to layers of other branches, whose inputs have none, and loses it behind layers that
 * return what they were given, such as Dropout outside training. From here on every layer gets the masks of its own
 * inputs: `kwargs.mask` is that of the first, or a list for layers that say `takesMasks`.
 *
 * A mask that a caller gives to `apply` himself stays as it is. Done once, however often it is called.
 */
export function mendLayerMasks(): void {
  const base = layers.Layer.prototype as Layer & { [MENDED]?: true };
  if (base[MENDED]) return;
  base[MENDED] = true;
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
