import type * as tf from "@tensorflow/tfjs-core";
import { type DrawParameters, drawParameters } from "../../attention/glimpse/draw.ts";
import { linear } from "../../ops/linear.ts";
import {
  integer,
  type LayerInput,
  MechanismLayer,
  required,
  type Shape,
  type Sizes,
  seed,
  type WeightTable,
  weightFields,
} from "../base/index.ts";

/** The fields of the projection that makes the parameters. */
export const drawFields = {
  ...weightFields("kernel", "glorotUniform"),
  ...weightFields("bias", "zeros"),
  seed: seed(),
};
/** The second input. */
export const state: LayerInput = { name: "state", letters: "[B, D]" };
const side = required(integer(1));
const sized = { height: side, width: side, ...drawFields };

/** What DRAW's reading and writing share: five numbers that a state gives, and the size of what comes out. */
export abstract class DrawLayer<F extends typeof sized> extends MechanismLayer<F> {
  /** A glimpse of the image, or a patch on a canvas, of this size. */
  protected abstract draw(image: tf.Tensor4D, parameters: DrawParameters, size: [number, number]): tf.Tensor;

  get #size(): [number, number] {
    const { height, width } = this.config as unknown as { height: number; width: number };
    return [height, width];
  }

  protected override parameters({ D }: Sizes): WeightTable<F> {
    const table: WeightTable<typeof sized> = {
      kernel: { shape: [D!, 5], kind: "kernel" },
      bias: { shape: [5], kind: "bias" },
    };
    return table as WeightTable<F>;
  }

  protected override shapeOf([image]: readonly Shape[]): Shape {
    return [image![0]!, ...this.#size, image![3]!];
  }

  protected override outputMask(): undefined {
    return undefined;
  }

  protected override compute([image, state]: tf.Tensor[]): tf.Tensor {
    const vector = linear(state as tf.Tensor2D, this.weight("kernel"), this.weight("bias"));
    return this.draw(image as tf.Tensor4D, drawParameters(vector), this.#size);
  }
}
