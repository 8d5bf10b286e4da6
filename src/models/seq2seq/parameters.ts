import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../core/random.ts";
import { checkConfig, type Seq2SeqConfig } from "./config.ts";

/** What a parameter is, before it has a value. */
export interface ParameterSpec {
  shape: number[];
  /** Glorot-uniform matrices (Glorot & Bengio 2010), zero biases, normal(0, 0.1) embeddings. */
  init: "glorot" | "zeros" | "embedding";
}

const GATES = { gru: 3, lstm: 4 } as const;

function cellSpecs(name: string, cell: Seq2SeqConfig["cell"], input: number, hidden: number) {
  const gates = GATES[cell] * hidden;
  return {
    [`${name}/input/kernel`]: { shape: [input, gates], init: "glorot" },
    [`${name}/input/bias`]: { shape: [gates], init: "zeros" },
    [`${name}/hidden/kernel`]: { shape: [hidden, gates], init: "glorot" },
    // The GRU needs a second bias: its reset gate multiplies (U·h + b), not U·h alone.
    ...(cell === "gru" ? { [`${name}/hidden/bias`]: { shape: [gates], init: "zeros" } } : {}),
  } satisfies Record<string, ParameterSpec>;
}

function scoreSpecs(config: Seq2SeqConfig): Record<string, ParameterSpec> {
  const { score, decoder: Dq, attention: A, maxSource } = config;
  const Dk = 2 * config.encoder;
  const matrix = (shape: number[]): ParameterSpec => ({ shape, init: "glorot" });
  switch (score) {
    case "general":
      return { "attention/w": matrix([Dq, Dk]) };
    case "additive":
      return { "attention/w1": matrix([Dk, A]), "attention/w2": matrix([Dq, A]), "attention/v": matrix([A]) };
    case "concat":
      return { "attention/w": matrix([Dq + Dk, A]), "attention/v": matrix([A]) };
    case "location":
      return { "attention/w": matrix([Dq, maxSource]) };
    case "dot":
    case "scaledDot":
      // These two compare vectors of one width, so the keys get a projection when the widths differ.
      return Dq === Dk ? {} : { "attention/keys": matrix([Dk, Dq]) };
    case "none":
      return {};
  }
}

/** Names and shapes of every parameter of a model. @throws OptionError OPTION */
export function parameterSpecs(config: Seq2SeqConfig): Record<string, ParameterSpec> {
  checkConfig(config);
  const { embedding: E, encoder: H, decoder: D } = config;
  const memory = 2 * H;
  const fed = config.style === "bahdanau" ? memory : config.inputFeeding ? E : 0;
  return {
    "source/embedding": { shape: [config.sourceVocabulary, E], init: "embedding" },
    "target/embedding": { shape: [config.targetVocabulary, E], init: "embedding" },
    ...cellSpecs("encoder/forward", config.cell, E, H),
    ...cellSpecs("encoder/backward", config.cell, E, H),
    "bridge/kernel": { shape: [memory, config.cell === "lstm" ? 2 * D : D], init: "glorot" },
    "bridge/bias": { shape: [config.cell === "lstm" ? 2 * D : D], init: "zeros" },
    ...cellSpecs("decoder", config.cell, E, D),
    ...(fed > 0
      ? { "decoder/fed/kernel": { shape: [fed, GATES[config.cell] * D], init: "glorot" as const } }
      : {}),
    ...scoreSpecs(config),
    "combine/kernel": { shape: [memory + D, E], init: "glorot" },
    "combine/bias": { shape: [E], init: "zeros" },
    ...(config.tieEmbeddings
      ? {}
      : { "output/kernel": { shape: [config.targetVocabulary, E], init: "glorot" as const } }),
    "output/bias": { shape: [config.targetVocabulary], init: "zeros" },
  };
}

/** FNV-1a: a stream number for each parameter, so that adding one changes no other's first value. */
function streamOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}

function initialValues(name: string, { shape, init }: ParameterSpec, seed: number): Float32Array {
  const size = shape.reduce((product, n) => product * n, 1);
  const values = new Float32Array(size);
  if (init === "zeros") return values;
  const random = new RandomStream(seed, streamOf(name));
  if (init === "embedding") {
    for (let i = 0; i < size; i++) values[i] = 0.1 * random.normal();
    return values;
  }
  const [rows, columns] = shape.length === 1 ? [shape[0], 1] : shape;
  const limit = Math.sqrt(6 / (rows + columns));
  for (let i = 0; i < size; i++) values[i] = limit * (2 * random.uniform() - 1);
  return values;
}

/** First values for parameters: one seed gives the same ones on every machine. */
export function initialParameters(
  specs: Record<string, ParameterSpec>,
  seed: number,
): Record<string, Float32Array> {
  const entries = Object.entries(specs);
  return Object.fromEntries(entries.map(([name, spec]) => [name, initialValues(name, spec, seed)]));
}

/** The trainable values of a model, by name. */
export class Parameters {
  readonly variables: Record<string, tf.Variable> = {};

  constructor(specs: Record<string, ParameterSpec>, values: Record<string, Float32Array>) {
    for (const [name, { shape }] of Object.entries(specs)) {
      const value = tf.tensor(values[name], shape, "float32");
      this.variables[name] = tf.variable(value);
      value.dispose();
    }
  }

  /** A parameter of two axes, by its name in `parameterSpecs`. */
  matrix(name: string): tf.Tensor2D {
    const variable: tf.Tensor = this.variables[name];
    return variable as tf.Tensor2D;
  }

  vector(name: string): tf.Tensor1D {
    const variable: tf.Tensor = this.variables[name];
    return variable as tf.Tensor1D;
  }

  has(name: string): boolean {
    return name in this.variables;
  }

  /** Number of scalar parameters. */
  get size(): number {
    return Object.values(this.variables).reduce((sum, { size }) => sum + size, 0);
  }

  dispose(): void {
    for (const variable of Object.values(this.variables)) variable.dispose();
  }
}
