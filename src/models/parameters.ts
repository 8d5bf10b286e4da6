/** The trainable values of a model by name, and how they begin. */
import * as tf from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../core/errors.ts";
import { RandomStream } from "../core/random.ts";
import type { PackedRows } from "../kernels/quantized/forms.ts";
import { type PackedMatrix, packedMatrix, packedRows } from "../ops/packed.ts";

/** A parameter before it has a value. */
export interface ParameterSpec {
  readonly shape: readonly number[];
  /** normal(0, std); a number on the diagonal of each matrix; Glorot-uniform (Glorot & Bengio 2010) of a matrix; or a constant. */
  readonly start: { readonly normal: number } | { readonly diagonal: number } | "glorot" | "zeros" | "ones";
}

export type ParameterSpecs = Readonly<Record<string, ParameterSpec>>;

/** FNV-1a: a stream number for each parameter, so that adding one changes no other's first value. */
function streamOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}

function firstValues(name: string, { shape, start }: ParameterSpec, seed: number): Float32Array {
  const values = new Float32Array(shape.reduce((product, n) => product * n, 1));
  if (start === "zeros") return values;
  if (start === "ones") return values.fill(1);
  if (typeof start === "object" && "diagonal" in start) {
    const [rows, columns] = shape.slice(-2) as [number, number];
    const isOn = (at: number) => Math.floor(at / columns) % rows === at % columns;
    return values.map((_, at) => (isOn(at) ? start.diagonal : 0));
  }
  const random = new RandomStream(seed, streamOf(name));
  if (start !== "glorot") return values.map(() => start.normal * random.normal());
  const [rows, columns] = shape.length === 1 ? [shape[0]!, 1] : (shape as [number, number]);
  const limit = Math.sqrt(6 / (rows + columns));
  return values.map(() => limit * (2 * random.uniform() - 1));
}

/** The trainable values of a model, by name. */
export class Parameters {
  readonly #variables: Readonly<Record<string, tf.Variable>>;
  readonly #packed: Readonly<Record<string, PackedMatrix>>;
  #isDisposed = false;

  private constructor(variables: Record<string, tf.Variable>, packed: Record<string, PackedMatrix> = {}) {
    this.#variables = variables;
    this.#packed = packed;
  }

  /** @throws OptionError NOT_READY after `dispose` */
  get variables(): Readonly<Record<string, tf.Variable>> {
    this.#checkHeld();
    return this.#variables;
  }

  /** Matrices whose weights stay as a file has them, and are not trained. @throws OptionError NOT_READY after `dispose` */
  get packed(): Readonly<Record<string, PackedMatrix>> {
    this.#checkHeld();
    return this.#packed;
  }

  // Every model reads its parameters first, so that this says what happened before TensorFlow.js fails within.
  #checkHeld(): void {
    if (!this.#isDisposed) return;
    const rule = "a model must be used before its dispose()";
    const remedy = "load or make it again, or dispose it later";
    throw new OptionError("NOT_READY", { op: "Parameters", rule, got: "one that is disposed", remedy });
  }

  /**
   * @param start a seed, which gives the same values on every machine; or the values themselves
   * @throws ShapeError UNKNOWN, SHAPE where values are given that these specs do not have
   */
  static start(
    op: string,
    specs: ParameterSpecs,
    start: number | Readonly<Record<string, Float32Array>>,
  ): Parameters {
    if (typeof start !== "number") checkValues(op, specs, start);
    const made = Object.entries(specs).map(([name, spec]) => {
      const values = typeof start === "number" ? firstValues(name, spec, start) : start[name]!;
      return [name, variableOf(values, spec)] as const;
    });
    return new Parameters(Object.fromEntries(made));
  }

  /** Values that are read one parameter at a time, so that no second copy of them all is in memory. */
  static async read(
    specs: ParameterSpecs,
    read: (name: string, spec: ParameterSpec) => Promise<Float32Array | PackedRows>,
  ): Promise<Parameters> {
    const variables: Record<string, tf.Variable> = {};
    const packed: Record<string, PackedMatrix> = {};
    const made = new Parameters(variables, packed);
    try {
      for (const [name, spec] of Object.entries(specs)) {
        const values = await read(name, spec);
        if (values instanceof Float32Array) variables[name] = variableOf(values, spec);
        else packed[name] = packedMatrix(values, spec.shape as [number, number]);
      }
    } catch (error) {
      made.dispose();
      throw error;
    }
    return made;
  }

  /**
   * These parameters for other specs: those that are in both stay, the variables themselves; others are begun, or disposed.
   * What was given before them is not to be used any more.
   */
  refit(specs: ParameterSpecs, seed: number): Parameters {
    const before = this.trainable("refit");
    const kept = ([name, { shape }]: [string, ParameterSpec]) =>
      before[name]?.shape.join() === shape.join() ? before[name] : undefined;
    const made = Object.entries(specs).map((entry) => {
      const [name, spec] = entry;
      return [name, kept(entry) ?? variableOf(firstValues(name, spec, seed), spec)] as const;
    });
    const variables = Object.fromEntries(made);
    for (const [name, variable] of Object.entries(this.variables))
      if (variables[name] !== variable) variable.dispose();
    return new Parameters(variables);
  }

  /**
   * The matrices as variables, for what reads or changes them.
   *
   * @throws OptionError CONFLICT where some stay as a file has them
   */
  trainable(op: string): Readonly<Record<string, tf.Variable>> {
    const [packed] = Object.keys(this.packed);
    if (packed === undefined) return this.variables;
    const rule = "the weights must be float32";
    const remedy = 'load the model without { weights: "stored" }';
    throw new OptionError("CONFLICT", { op, rule, got: `${packed} as its file has it`, remedy });
  }

  /**
   * All variables but the frozen ones: give them to `namedGradients`, to a shard, to `Adam`. What is left out has no gradient
   * computed, no moments kept, and stays as it is, bit for bit.
   *
   * @param frozen names, in which `*` stands for anything: `"embedding/*"`; or expressions: `/^encoder\/[0-3]\//`
   * @throws OptionError UNKNOWN for a pattern that fits no parameter, CONFLICT where nothing is left
   * @example
   * const model = new Transformer(bert({ layers: 2, width: 8, heads: 2, vocabulary: 11, positions: 16, head: false }), 1);
   * Object.keys(model.parameters.without("embedding/*", "encoder/*", "pooler/bias")); // ["pooler/weight"]
   * model.dispose();
   */
  without(...frozen: readonly (string | RegExp)[]): Record<string, tf.Variable> {
    const names = Object.keys(this.trainable("Parameters.without"));
    const gone = new Set<string>();
    for (const pattern of frozen) {
      const fitting = names.filter((name) => fits(pattern, name));
      if (fitting.length === 0) throw unknownPattern(pattern, names);
      for (const name of fitting) gone.add(name);
    }
    const left = Object.entries(this.variables).filter(([name]) => !gone.has(name));
    if (left.length > 0) return Object.fromEntries(left);
    const fault = { op: "Parameters.without", rule: "a parameter must be left to train", got: "none" };
    throw new OptionError("CONFLICT", { ...fault, remedy: "freeze fewer" });
  }

  /** A parameter of two axes. */
  matrix(name: string): tf.Tensor2D {
    const variable: tf.Tensor = this.variables[name]!;
    return variable as tf.Tensor2D;
  }

  /** Rows of a parameter of two axes: ids [n] → [n, …]. */
  rows(name: string, ids: tf.Tensor1D): tf.Tensor2D {
    const packed = this.packed[name];
    return packed ? packedRows(packed, ids) : tf.gather(this.matrix(name), ids);
  }

  vector(name: string): tf.Tensor1D {
    const variable: tf.Tensor = this.variables[name]!;
    return variable as tf.Tensor1D;
  }

  has(name: string): boolean {
    return name in this.variables || name in this.packed;
  }

  /** Number of scalar parameters. */
  get size(): number {
    const packed = Object.values(this.packed).reduce((sum, { shape: [O, I] }) => sum + O * I, 0);
    return Object.values(this.variables).reduce((sum, { size }) => sum + size, packed);
  }

  dispose(): void {
    this.#isDisposed = true;
    for (const variable of Object.values(this.#variables)) variable.dispose();
    for (const { words } of Object.values(this.#packed)) words.dispose();
  }
}

function fits(pattern: string | RegExp, name: string): boolean {
  if (typeof pattern !== "string") return pattern.test(name);
  const parts = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(name);
}

function unknownPattern(pattern: string | RegExp, names: readonly string[]): OptionError<"UNKNOWN"> {
  const first = [...new Set(names.map((name) => name.split("/")[0]))];
  return new OptionError("UNKNOWN", {
    op: "Parameters.without",
    rule: `a pattern must fit a parameter, whose names begin with ${first.join(", ")}`,
    got: pattern,
    remedy: "print Object.keys(model.parameters.variables)",
  });
}

function variableOf(values: Float32Array, { shape }: ParameterSpec): tf.Variable {
  const value = tf.tensor(values, [...shape], "float32");
  const variable = tf.variable(value);
  value.dispose();
  return variable;
}

function checkValues(
  op: string,
  specs: ParameterSpecs,
  values: Readonly<Record<string, Float32Array>>,
): void {
  const remedy = "give every parameter of this configuration, and no other";
  for (const [name, { shape }] of Object.entries(specs)) {
    const size = shape.reduce((product, n) => product * n, 1);
    if (values[name]?.length === size) continue;
    const got = values[name] ? `${values[name].length} numbers` : "none";
    throw new ShapeError("SHAPE", { op, rule: `${name} must have shape [${shape.join(", ")}]`, got, remedy });
  }
  const other = Object.keys(values).find((name) => !(name in specs));
  if (other === undefined) return;
  throw new ShapeError("UNKNOWN", { op, rule: "every value must be of a parameter", got: other, remedy });
}
