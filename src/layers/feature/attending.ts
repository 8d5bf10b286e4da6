import { Tensor } from "@tensorflow/tfjs-core";
import {
  byDefault,
  type Fields,
  flag,
  type LayerCall,
  type LayerInput,
  MechanismLayer,
  type Shape,
  type Sizes,
} from "../base/index.ts";

/** The field of every layer that can say what it attended to. */
export const returnAttention = {
  /** Returns [output, …gates, maps or weights], in the mechanism's order; an option of the call too. @default false */
  returnAttention: byDefault(flag(), false),
};

/** What a mechanism gives: its output, and then what it multiplied or mixed by. */
export type Attended = object & { readonly output: Tensor };

export const IMAGE: readonly LayerInput[] = [{ name: "x", letters: "[B, H, W, C]" }];
export const FEATURES: readonly LayerInput[] = [{ name: "x", letters: "[B, …, C]" }];

/** A layer of a mechanism that can return its gates, maps or weights beside its output. */
export abstract class AttendingLayer<F extends Fields & typeof returnAttention> extends MechanismLayer<F> {
  static readonly callOptions: readonly string[] = ["returnAttention"];

  /** The mechanism itself. `wanted` says whether weights that cost something are asked for. */
  protected abstract attend(inputs: Tensor[], call: LayerCall, wanted: boolean): Attended;

  /** The shapes of what comes beside the output. */
  protected abstract attentionShapes(shapes: readonly Shape[], sizes: Sizes): Shape[];

  /** @default the shape of the first input */
  protected outputShapeOf(shapes: readonly Shape[]): Shape {
    return shapes[0]!;
  }

  get #returned(): boolean {
    return (this.config as { readonly returnAttention: boolean }).returnAttention;
  }

  protected override shapeOf(shapes: readonly Shape[], sizes: Sizes): Shape | Shape[] {
    const output = this.outputShapeOf(shapes);
    return this.#returned ? [output, ...this.attentionShapes(shapes, sizes)] : output;
  }

  protected override compute(inputs: Tensor[], call: LayerCall): Tensor | Tensor[] {
    const wanted = (call.kwargs.returnAttention ?? this.#returned) === true;
    const { output, ...rest } = this.attend(inputs, call, wanted);
    return wanted ? [output, ...tensorsIn(rest)] : output;
  }
}

/** Tensors by name, and by name within those, in their order. */
function tensorsIn(named: object): Tensor[] {
  return Object.values(named).flatMap((one) => (one instanceof Tensor ? [one] : tensorsIn(one as object)));
}

/** How many positions lie between the first and the last axis, null while one is unknown. */
export function positions(shape: Shape): number | null {
  return shape.slice(1, -1).reduce<number | null>((n, m) => (n === null || m === null ? null : n * m), 1);
}
