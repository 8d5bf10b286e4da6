/**
 * The base of every layer of heed: a `tf.layers.Layer` of which a mechanism states only what is its own.
 *
 *     const fields = {
 *       units: required(integer(1)),                 // numbers, flags, choices: fields.ts
 *       useBias: byDefault(flag(), true),
 *       ...weightFields("kernel", "glorotUniform"),  // kernelInitializer, kernelRegularizer, kernelConstraint
 *       ...weightFields("bias", "zeros"),
 *       seed: seed(),                                // of initial weights and dropout
 *     };
 *
 *     export class ContextGate extends MechanismLayer<typeof fields> {
 *       static readonly className = "ContextGate";
 *       static readonly inputs = [{ name: "x", letters: "[B, …, C]" }, { name: "context", letters: "[B, Cc]" }];
 *       static readonly fields: typeof fields = fields;
 *       protected override parameters({ Cc }: Sizes): WeightTable<typeof fields> {
 *         const { units, useBias } = this.config;
 *         return {
 *           "context/kernel": { shape: [Cc, units], kind: "kernel" },
 *           "context/bias": useBias && { shape: [units], kind: "bias" },
 *         };
 *       }
 *       protected override compute([x, context]: tf.Tensor[]) {
 *         return contextGate(x, context, { w: this.weight("context/kernel"), b: this.weightIf("context/bias") }).output;
 *       }
 *     }
 *
 * Export it from its family's index: src/layers/index.ts registers whatever is there, so that models that hold it load.
 * A layer has no constructor: this one reads the statics of the class, and its type follows from the fields, so that
 * `new ContextGate({ units: "4" })` does not compile. The rest is done here too: keys that are no field are refused,
 * ranks and sizes that share a letter are checked, weights get Keras' names, configurations round trip, whatever
 * `compute` makes is tidied, and masks, `training` and a seed for each step reach `compute` as its second argument.
 * Override `check` where fields exclude one another, `shapeOf` where the output has another shape than the first input,
 * and `outputMask` where its mask is another. Layers of heads stand on `HeadLayer` (head-layer.ts).
 */
import { reshape, type serialization, type Tensor, tidy } from "@tensorflow/tfjs-core";
import { type LayerVariable, layers, SymbolicTensor } from "@tensorflow/tfjs-layers";
import { derivedSeed } from "../../core/derived-seed.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import type { FieldArgs, Fields, FieldValues, RequiredKeys } from "./fields.ts";
import { describeInputs, type LayerInput, type Shape, type Sizes, sizesOf } from "./inputs.ts";
import {
  type Constraint,
  camelKeys,
  type Initializer,
  type Regularizer,
  restore,
  seeded,
} from "./objects.ts";
import { freshSeed, SEED_OF } from "./seeds.ts";
import { remedyFor } from "./synonyms.ts";

type LayerArgs = NonNullable<ConstructorParameters<typeof layers.Layer>[0]>;
type Kwargs = Readonly<Record<string, unknown>>;

/** What a layer's constructor takes: its fields, and what any layer of TensorFlow.js takes. */
export type LayerOptions<F extends Fields> = FieldArgs<F> & LayerArgs;

/** The arguments of a constructor: a list without any is enough where no field is required. */
export type LayerArguments<F extends Fields> = [RequiredKeys<F>] extends [never]
  ? [args?: LayerOptions<F>]
  : [args: LayerOptions<F>];

/** What a class of layers says of itself, as statics. */
export interface LayerStatics {
  /** The name in saved models, with which errors begin. */
  readonly className: string;
  readonly inputs: readonly LayerInput[];
  readonly fields: Fields;
  /** Options of a call, beside `training` and `mask`. @default none */
  readonly callOptions?: readonly string[];
  /** Keys that Keras writes into a configuration and that mean nothing here. @default none */
  readonly ignored?: readonly string[];
}

type Kinds<F extends Fields> = keyof F extends infer K
  ? K extends `${infer P}Initializer`
    ? P
    : never
  : never;

/** One weight: its shape, and where its initialiser, regulariser and constraint come from. */
export interface WeightSpec<F extends Fields> {
  readonly shape: readonly number[];
  /** "kernel" takes the fields kernelInitializer, kernelRegularizer and kernelConstraint. */
  readonly kind?: Kinds<F>;
  /** Instead of that of `kind`: one that no field names. */
  readonly initializer?: string | Initializer;
  /**
   * The matrix that a kernel of more axes is: the initialiser draws for this shape. TensorFlow.js takes the fans of a
   * kernel [C, H, D] to be C·H and C·D, which makes it too small; as a matrix it has C and H·D, as in Keras 3.
   * @default shape
   */
  readonly matrix?: readonly [number, number];
  /** @default true */
  readonly trainable?: boolean;
}

/** The weights of a layer by their names in a file, `query/kernel`; false for one that a configuration leaves out. */
export type WeightTable<F extends Fields> = Readonly<Record<string, WeightSpec<F> | false>>;

/** What a call of the layer has beside its inputs. */
export interface LayerCall {
  readonly training: boolean;
  /** One for each input, true where there is something to see; undefined where an input has none. */
  readonly masks: readonly (Tensor | undefined)[];
  /** The seed of this step: another one at each call in training. */
  readonly seed: number;
  /** Whatever else `apply` was given, when it was called on tensors. */
  readonly kwargs: Kwargs;
}

const OF_ANY_LAYER = new Set(
  "name trainable dtype inputShape batchInputShape batchSize inputDType weights".split(" "),
);

const toList = <T>(x: T | T[]): T[] => (Array.isArray(x) ? x : [x]);
const isList = (shape: Shape | Shape[]): shape is Shape[] => Array.isArray(shape[0]);

export abstract class MechanismLayer<F extends Fields> extends layers.Layer {
  /** Masks come as a list, one for each input. */
  readonly takesMasks = true;
  readonly config: FieldValues<F>;
  /** Calls in training so far; with the seed it says what is dropped. Set it to go on from a checkpoint. */
  step = 0;
  readonly #variables = new Map<string, LayerVariable>();
  readonly #seed: number;
  /** The number of outputs of the last call, which `computeMask` must match. */
  #outputs = 1;

  constructor(...given: LayerArguments<F>) {
    const args = (given[0] ?? {}) as Record<string, unknown>;
    const config = readConfig(new.target as unknown as LayerStatics, args);
    super(ofAnyLayer(args));
    this.config = config as FieldValues<F>;
    this.#seed = (config as { seed?: number }).seed ?? freshSeed();
    this.supportsMasking = true;
    this.check();
  }

  /** A layer of a saved configuration: TensorFlow.js' camelCase keys or Keras' snake_case. */
  static override fromConfig<T extends serialization.Serializable>(
    type: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    const { customObjects: _, ...rest } = camelKeys(config) as Record<string, unknown>;
    return new type(rest);
  }

  override getConfig(): serialization.ConfigDict {
    const config = super.getConfig();
    const values = this.config as Readonly<Record<string, unknown>>;
    for (const [name, field] of Object.entries(this.#statics.fields)) {
      const value = field.write(values[name]);
      if (value !== undefined) config[name] = value;
    }
    return config;
  }

  get #statics(): LayerStatics {
    return this.constructor as unknown as LayerStatics;
  }

  /** Refuses fields that exclude one another; only `config` and `op` are there yet. */
  protected check(): void {}

  /** The name of the class, with which errors begin. */
  protected get op(): string {
    return this.getClassName();
  }

  /** The layer's weights by their names in a file, for inputs of these sizes. */
  protected parameters(_sizes: Sizes, _shapes: readonly Shape[]): WeightTable<F> {
    return {};
  }

  /** The output for these inputs; it may leave tensors behind, they are tidied. */
  protected abstract compute(inputs: Tensor[], call: LayerCall): Tensor | Tensor[];

  /** @default the shape of the first input */
  protected shapeOf(shapes: readonly Shape[], _sizes: Sizes): Shape | Shape[] {
    return shapes[0]!;
  }

  /** The mask of the first output. @default that of the first input */
  protected outputMask(
    masks: readonly (Tensor | undefined)[],
    _inputs: readonly Tensor[],
  ): Tensor | undefined {
    return masks[0];
  }

  /** The error of a layer whose weights are needed before there are any. */
  protected unbuilt(): OptionError<"NOT_READY"> {
    return new OptionError("NOT_READY", {
      op: this.op,
      rule: "a layer must have weights before they can be read or set",
      got: "none yet",
      remedy: "apply it to something, or build a model of it, first",
    });
  }

  /**
   * A weight that `parameters` names.
   *
   * @throws OptionError NOT_READY
   */
  protected weight<T extends Tensor>(name: string): T {
    if (!this.built) throw this.unbuilt();
    return this.#variables.get(name)!.read() as T;
  }

  /** A weight that this configuration may be without. */
  protected weightIf<T extends Tensor>(name: string): T | undefined {
    return this.#variables.get(name)?.read() as T | undefined;
  }

  /**
   * Sets all weights, by the names that `parameters` gives them.
   *
   * @throws OptionError NOT_READY · ShapeError SHAPE when they are not this layer's
   */
  protected setNamed(named: ReadonlyMap<string, Tensor>): void {
    if (!this.built) throw this.unbuilt();
    for (const [name, { shape }] of this.#variables) {
      const given = named.get(name);
      if (String(given?.shape) === String(shape)) continue;
      throw new ShapeError("SHAPE", {
        op: this.op,
        rule: `the weight ${name} must have shape [${shape.join(", ")}]`,
        got: given ? `shape [${given.shape.join(", ")}]` : "none",
        remedy: "make the layer with the sizes and options of these parameters",
      });
    }
    for (const name of named.keys()) {
      if (this.#variables.has(name)) continue;
      const rule = `its weights must be ${[...this.#variables.keys()].join(", ")}`;
      const remedy = "make the layer with the sizes and options of these parameters";
      throw new ShapeError("SHAPE", { op: this.op, rule, got: name, remedy });
    }
    for (const [name, variable] of this.#variables) variable.write(named.get(name)!);
  }

  override build(inputShape: Shape | Shape[]): void {
    const shapes = isList(inputShape) ? inputShape : [inputShape];
    const sizes = sizesOf(this.op, this.#statics.inputs, shapes);
    const table = Object.entries(this.parameters(sizes, shapes));
    table.forEach(([name, spec], index) => {
      if (!spec) return;
      if (spec.shape.some((n) => !(Number.isSafeInteger(n) && n > 0))) {
        const inputs = describeInputs(this.#statics.inputs);
        throw new OptionError("SHAPE", {
          op: this.op,
          rule: `the shape of the weight ${name} must be known and without 0`,
          got: `[${spec.shape.map(String).join(", ")}] from ${inputs}`,
          remedy: "give the input layers those sizes",
          name,
        });
      }
      const { kind, trainable } = spec;
      const setting = <T>(suffix: string) =>
        kind ? (this.config[`${kind}${suffix}`] as T | undefined) : undefined;
      const initializer = restore<Initializer>(spec.initializer) ?? setting<Initializer>("Initializer")!;
      const variable = this.addWeight(
        name,
        [...spec.shape],
        "float32",
        asMatrix(seeded(initializer, derivedSeed(this.#seed, SEED_OF.weight, index)), spec.matrix),
        setting<Regularizer>("Regularizer"),
        trainable,
        setting<Constraint>("Constraint"),
      );
      this.#variables.set(name, variable);
    });
    this.built = true;
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape | Shape[] {
    const shapes = isList(inputShape) ? inputShape : [inputShape];
    return this.shapeOf(shapes, sizesOf(this.op, this.#statics.inputs, shapes));
  }

  /** @throws OptionError UNKNOWN, UNSUPPORTED */
  override apply(...[inputs, options]: Parameters<layers.Layer["apply"]>): ReturnType<layers.Layer["apply"]> {
    const { callOptions = [], fields } = this.#statics;
    const isSymbolic = toList<unknown>(inputs)[0] instanceof SymbolicTensor;
    for (const key of Object.keys(options ?? {})) {
      if (key === "training" || key === "mask") continue;
      if (!callOptions.includes(key)) {
        const known = ["training", "mask", ...callOptions];
        throw new OptionError("UNKNOWN", {
          op: this.op,
          rule: `every option of a call must be one of ${known.join(", ")}`,
          got: key,
          remedy: "correct its spelling or remove it",
          known,
        });
      }
      if (!isSymbolic) continue;
      const place = key in fields ? `give ${key} to the constructor` : "make it an input of the layer";
      throw new OptionError("UNSUPPORTED", {
        op: this.op,
        rule: "a layer in a model must have its options in its configuration",
        got: `${key} in a call, which TensorFlow.js does not repeat when the model runs`,
        remedy: place,
        key,
      });
    }
    return super.apply(inputs, options);
  }

  /** The seed of the next call: of what it draws. Only calls in training make it another one. */
  get stepSeed(): number {
    return derivedSeed(this.#seed, SEED_OF.step, this.step);
  }

  override call(given: Tensor | Tensor[], options: Kwargs): Tensor | Tensor[] {
    const inputs = toList(given);
    const { training, mask, ...kwargs } = options;
    sizesOf(
      this.op,
      this.#statics.inputs,
      inputs.map((x) => x.shape),
    );
    const isTraining = training === true;
    const seed = this.stepSeed;
    if (isTraining) this.step++;
    const masks = maskList(mask, inputs.length);
    const output = tidy(() => this.compute(inputs, { training: isTraining, masks, seed, kwargs }));
    this.#outputs = toList(output).length;
    return output;
  }

  override computeMask(given: Tensor | Tensor[], mask?: Tensor | Tensor[]): Tensor | Tensor[] {
    const inputs = toList(given);
    const first = this.outputMask(maskList(mask, inputs.length), inputs) ?? null;
    // TensorFlow.js wants as many masks as there are outputs; null stands for none, which its types leave out.
    const all = [first, ...Array.from({ length: this.#outputs - 1 }, () => null)];
    return (all.length === 1 ? first : all) as Tensor | Tensor[];
  }
}

function maskList(mask: unknown, count: number): (Tensor | undefined)[] {
  const list = toList(mask ?? []) as (Tensor | null | undefined)[];
  return Array.from({ length: count }, (_, at) => list[at] ?? undefined);
}

/** An initialiser that draws for `matrix` and reshapes. */
function asMatrix(initializer: Initializer, matrix: readonly [number, number] | undefined): Initializer {
  if (!matrix) return initializer;
  const draw: Pick<Initializer, "apply"> = {
    apply: (shape, dtype) => tidy(() => reshape(initializer.apply([...matrix], dtype), shape as number[])),
  };
  return draw as Initializer;
}

function readConfig(
  { className: op, inputs, fields, ignored = [] }: LayerStatics,
  args: Record<string, unknown>,
): Record<string, unknown> {
  if (!op || !inputs || !fields) {
    throw new OptionError("OPTION", {
      op: op ?? "MechanismLayer",
      rule: "a class of layers must have the statics className, inputs and fields",
      got:
        ["className", "inputs", "fields"].filter((_, at) => [op, inputs, fields][at]).join(" and ") || "none",
      remedy: "write them into the class: a layer has no constructor that passes them on",
    });
  }
  for (const key of Object.keys(args)) {
    if (key in fields || OF_ANY_LAYER.has(key) || ignored.includes(key)) continue;
    const known = [...Object.keys(fields), ...OF_ANY_LAYER];
    throw new OptionError("UNKNOWN", {
      op,
      rule: `every key of its configuration must be one of ${known.join(", ")}`,
      got: key,
      remedy: remedyFor(key, known),
      known,
    });
  }
  const values = Object.entries(fields).map(
    ([name, field]) => [name, field.read(op, name, args[name])] as const,
  );
  return Object.fromEntries(values);
}

/** The arguments of any layer; Keras 3 writes the type of numbers as a policy. */
function ofAnyLayer(args: Record<string, unknown>): LayerArgs {
  const mine = Object.entries(args).filter(([key]) => OF_ANY_LAYER.has(key));
  const { dtype, ...rest } = Object.fromEntries(mine) as Record<string, unknown>;
  const policy = (dtype as { config?: { name?: string } } | undefined)?.config?.name;
  return { ...rest, ...(dtype ? { dtype: policy ?? dtype } : {}) } as LayerArgs;
}
