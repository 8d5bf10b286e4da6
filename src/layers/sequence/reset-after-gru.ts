import * as tf from "@tensorflow/tfjs-core";
import { RNN, type RNNLayerArgs } from "@tensorflow/tfjs-layers";
import { gruCell } from "../../ops/gru-cell.ts";
import {
  byDefault,
  flag,
  integer,
  MechanismLayer,
  required,
  type Shape,
  type Sizes,
  seed,
  type WeightTable,
  weightFields,
} from "../base/index.ts";

const fields = {
  /** U, the width of the state. */
  units: required(integer(1)),
  /** Adds biases, one to the gates of the input and one to those of the state. @default true */
  useBias: byDefault(flag(), true),
  ...weightFields("kernel", "glorotUniform"),
  ...weightFields("recurrent", "orthogonal"),
  ...weightFields("bias", "zeros"),
  /** The seed of initial weights. @default another one each time */
  seed: seed(),
};

/**
 * The cell of Keras' `GRU` with `reset_after`, its default, which TensorFlow.js does not have.
 *
 *     z = σ(xz + uz)    r = σ(xr + ur)    n = tanh(xn + r ⊙ un)    h' = z ⊙ h + (1 − z) ⊙ n
 *
 * Symbols: x = input·`kernel` + `bias`[0], u = h·`recurrent_kernel` + `bias`[1], the gates in Keras' order z, r, n.
 * Shapes: [input [B, C], state [B, U]] → [state, state], each [B, U].
 *
 * @throws OptionError UNKNOWN, OPTION · ShapeError SHAPE
 */
export class ResetAfterGRUCell extends MechanismLayer<typeof fields> {
  static readonly className = "ResetAfterGRUCell";
  static readonly inputs = [
    { name: "input", letters: "[B, C]" },
    { name: "state", letters: "[B, U]", optional: true },
  ];
  static readonly fields: typeof fields = fields;

  /** What an `RNN` layer asks of its cell. */
  get stateSize(): number {
    return this.config.units;
  }

  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    const { units: U, useBias } = this.config;
    return {
      kernel: { shape: [C!, 3 * U], kind: "kernel" },
      recurrent_kernel: { shape: [U, 3 * U], kind: "recurrent" },
      bias: useBias && { shape: [2, 3 * U], kind: "bias" },
    };
  }

  protected override shapeOf([input]: readonly Shape[]): Shape[] {
    const state = [input![0]!, this.config.units];
    return [state, state];
  }

  protected override compute([input, state]: tf.Tensor[]): tf.Tensor[] {
    const bias = this.weightIf("bias");
    const [onInput, onState] = bias ? tf.unstack(bias) : [];
    const gates = (x: tf.Tensor, kernel: tf.Tensor, added: tf.Tensor | undefined) => {
      const product = tf.matMul(x as tf.Tensor2D, kernel as tf.Tensor2D);
      const [z, r, n] = tf.split<tf.Tensor2D>(added ? tf.add<tf.Tensor2D>(product, added) : product, 3, 1);
      return tf.concat([r!, z!, n!], 1);
    };
    const x = gates(input!, this.weight("kernel"), onInput);
    const u = gates(state!, this.weight("recurrent_kernel"), onState);
    const next = gruCell(x, u, state as tf.Tensor2D);
    return [next, next];
  }
}

/** Keras' `GRU` with `reset_after`: a `ResetAfterGRUCell` over the steps [B, T, C] → [B, U], or [B, T, U]. */
export class ResetAfterGRU extends RNN {
  static override readonly className = "ResetAfterGRU";

  constructor(args: Readonly<Record<string, unknown>>) {
    const ofCell = Object.keys(args).filter((key) => key in fields || key === "trainable" || key === "dtype");
    const cell = new ResetAfterGRUCell(
      Object.fromEntries(ofCell.map((key) => [key, args[key]])) as { units: number },
    );
    super({ ...args, cell } as unknown as RNNLayerArgs);
  }

  // That of RNN takes a cell, and puts it into the configuration that it is given.
  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    return new cls(config);
  }
}
