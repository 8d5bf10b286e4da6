import * as tf from "@tensorflow/tfjs-core";
import type { Checkpoint } from "../../checkpoints/checkpoint.ts";
import { derivedSeed } from "../../core/derived-seed.ts";
import { RandomStream } from "../../core/random.ts";
import { encodeSafetensors, type SafetensorsTensor } from "../../core/safetensors.ts";
import { dropout as drop } from "../../ops/dropout.ts";
import { linear } from "../../ops/linear.ts";
import { tidy } from "../../ops/tidy.ts";
import { formOf, type ModelForm } from "../pretrained/form.ts";
import { halvesOf } from "../pretrained/pair-order.ts";
import { checkTransformer } from "../transformer/check-model.ts";
import type { Transformer } from "../transformer/transformer.ts";
import type { Adapter, AddTo } from "../transformer/weights.ts";
import {
  checkLoraConfig,
  type LoraConfig,
  loraConfigJson,
  readLoraConfig,
  scaleOf,
} from "./adapter-config.ts";
import { type LinearModule, lastName, linearModules, targetModules } from "./modules.ts";
import { readLoraTensors } from "./read-tensors.ts";

/** Marks the seeds of adapters among those that a seed stands for. */
const OF_ADAPTERS = 7;

export interface LoraOptions {
  /** @default 8 */
  readonly r?: number;
  /** α. @default r */
  readonly alpha?: number;
  /** Scale by α / √r. @default false: by α / r */
  readonly rslora?: boolean;
  /** @default 0 */
  readonly dropout?: number;
  /** Names of modules as PEFT has them, such as `["q_proj", "v_proj"]`. @default those of queries and values */
  readonly targets?: readonly string[];
  /** Of the first values of A. @default 0 */
  readonly seed?: number;
}

/** The two small matrices beside a module. */
export interface LoraPair {
  readonly module: LinearModule;
  /** What the file calls the module: without or with the prefix of the whole model, as it was read. */
  readonly path: string;
  /** A [r, in] */
  readonly a: tf.Variable;
  /** B [out, r] */
  readonly b: tf.Variable;
}

/** The model's own configuration, where the caller has it beside the model. */
type Json = Readonly<Record<string, unknown>>;

/**
 * Low-rank adaptation (LoRA): beside matrices of a model that stay as they are, two small ones that are trained.
 *
 *     y = x·Wᵀ + b + s · dropout(x)·Aᵀ·Bᵀ,    s = α / r, or α / √r with `rslora`
 *
 * Shapes: W [out, in], A [r, in], B [out, r]. B begins as zeros, so that the adapted model begins as the model. Gradients go to
 * A and B, whose variables are `variables`; W has neither gradient nor moments. An adapter is the model's while it is its
 * `adapter`: another one takes its place by an assignment, `undefined` takes it away.
 *
 * Files are those of PEFT (adapter_config.json, adapter_model.safetensors), whose names are those of the published model.
 * Paper: Hu et al. 2021, arxiv.org/abs/2106.09685.
 *
 * @example
 * const model = new Transformer(llama({ layers: 1, width: 8, heads: 2, vocabulary: 11 }), 1);
 * const adapter = LoraAdapter.start(model, {}, { r: 2, targets: ["q_proj", "v_proj"] });
 * model.adapter = adapter;
 * Object.keys(adapter.variables).length; // 4
 * JSON.parse(adapter.encode()["adapter_config.json"]).target_modules; // ["q_proj", "v_proj"]
 * adapter.dispose();
 * model.dispose();
 */
export class LoraAdapter implements Adapter {
  readonly config: LoraConfig;
  /** A and B of each module, under the names of PEFT's file. */
  readonly variables: Readonly<Record<string, tf.Variable>>;
  readonly pairs: readonly LoraPair[];
  readonly #form: ModelForm;
  readonly #headWidth: number;
  readonly #modules: readonly LinearModule[];
  readonly #byMatrix: ReadonlyMap<string, { pair: LoraPair; first: number; rows: number }>;

  private constructor(model: Transformer, form: ModelForm, config: LoraConfig, pairs: readonly LoraPair[]) {
    this.config = config;
    this.pairs = pairs;
    this.#form = form;
    this.#headWidth = model.config.headWidth;
    this.#modules = linearModules(model.config, form);
    const named = pairs.flatMap(({ path, a, b }) => [
      [nameOf(path, "A"), a] as const,
      [nameOf(path, "B"), b] as const,
    ]);
    this.variables = Object.fromEntries(named);
    this.#byMatrix = new Map(pairs.flatMap((pair) => placesOf(pair)));
  }

  /**
   * An adapter that changes nothing yet: A is drawn as PEFT draws it, B is 0.
   *
   * @param base the config.json of the model; `{}` for a Llama that came as GGUF or was made here
   * @throws OptionError OPTION, UNKNOWN · DataError UNSUPPORTED
   */
  static start(model: Transformer, base: Json = {}, options: LoraOptions = {}): LoraAdapter {
    checkTransformer("LoraAdapter.start", model);
    const { r = 8, rslora = false, dropout = 0, seed = 0, targets } = options;
    const config: LoraConfig = { r, alpha: options.alpha ?? r, rslora, dropout };
    checkLoraConfig("LoraAdapter.start", config);
    const form = formOf(model.config, base);
    const chosen = targetModules(linearModules(model.config, form), targets);
    const pairs = chosen.map((module, n) => {
      // Kaiming-uniform with slope √5.
      const limit = 1 / Math.sqrt(module.into);
      const random = new RandomStream(seed, n);
      const a = Float32Array.from({ length: r * module.into }, () => limit * (2 * random.uniform() - 1));
      return pairOf(module, form.nameOf(module.name), r, a, new Float32Array(module.out * r));
    });
    return new LoraAdapter(model, form, config, pairs);
  }

  /**
   * An adapter that PEFT wrote, or `encode`.
   *
   * @param checkpoint adapter_model.safetensors, or .bin, opened
   * @param config adapter_config.json, as an object
   * @throws DataError UNSUPPORTED naming the entry or tensor, FORMAT, MISMATCH, MISSING
   */
  static async read(
    checkpoint: Checkpoint,
    config: Json,
    model: Transformer,
    base: Json = {},
  ): Promise<LoraAdapter> {
    const lora = readLoraConfig(config);
    const form = formOf(model.config, base);
    const read = await readLoraTensors(
      checkpoint,
      lora,
      linearModules(model.config, form),
      form.architecture.prefix,
    );
    const D = model.config.headWidth;
    const pairs = read.map(({ module, path, a, b }) =>
      pairOf(module, path, lora.r, a, module.reordered ? halvesOf(b, module.out, D, true) : b),
    );
    return new LoraAdapter(model, form, lora, pairs);
  }

  pass(dropoutSeed: number | undefined): AddTo {
    const { dropout } = this.config;
    const scale = scaleOf(this.config);
    let places = 0;
    return (matrix, x, y) => {
      const place = this.#byMatrix.get(matrix);
      if (!place) return y;
      const { a } = place.pair;
      const seed = dropoutSeed === undefined ? undefined : derivedSeed(dropoutSeed, OF_ADAPTERS, places++);
      return tidy(() => {
        const seen = seed === undefined || dropout === 0 ? x : drop(x, dropout, { seed });
        const low = linear(seen, a as tf.Tensor as tf.Tensor2D, undefined, { transposed: true });
        return tf.add(y, tf.mul(linear(low, rowsOf(place), undefined, { transposed: true }), scale));
      });
    };
  }

  /** What is added to a matrix: s·B·A [out, in]; undefined where nothing is. The caller disposes it. */
  change(matrix: string): tf.Tensor2D | undefined {
    const place = this.#byMatrix.get(matrix);
    if (!place) return undefined;
    return tidy(() => {
      const product = tf.matMul(rowsOf(place), place.pair.a as tf.Tensor as tf.Tensor2D);
      return tf.mul(product, scaleOf(this.config));
    });
  }

  /** The matrices of the model that the adapter stands beside. */
  get matrices(): readonly string[] {
    return [...this.#byMatrix.keys()];
  }

  /**
   * The files of PEFT, which `PeftModel.from_pretrained` and `read` take.
   *
   * @param base what base_model_name_or_path is to say
   */
  encode({ base }: { base?: string } = {}): {
    "adapter_config.json": string;
    "adapter_model.safetensors": Uint8Array;
  } {
    const tensors: Record<string, SafetensorsTensor> = {};
    for (const { module, path, a, b } of this.pairs) {
      const values = b.dataSync() as Float32Array;
      const data = module.reordered ? halvesOf(values, module.out, this.#headWidth) : values;
      tensors[nameOf(path, "A")] = {
        dtype: "F32",
        shape: a.shape,
        data: a.dataSync() as Float32Array,
      };
      tensors[nameOf(path, "B")] = { dtype: "F32", shape: b.shape, data };
    }
    const targets = targetsOf(this.pairs, this.#modules);
    const transposed = this.pairs.some(({ module }) => module.transposed);
    const json = loraConfigJson(this.config, {
      targets,
      transposed,
      base,
      task: taskOf(this.#form.className),
    });
    return {
      "adapter_config.json": `${JSON.stringify(json, null, 2)}\n`,
      "adapter_model.safetensors": encodeSafetensors(tensors, { format: "pt" }),
    };
  }

  dispose(): void {
    for (const { a, b } of this.pairs) {
      a.dispose();
      b.dispose();
    }
  }
}

const nameOf = (path: string, matrix: "A" | "B"): string => `base_model.model.${path}.lora_${matrix}.weight`;

function pairOf(module: LinearModule, path: string, r: number, a: Float32Array, b: Float32Array): LoraPair {
  const variable = (values: Float32Array, shape: [number, number]) =>
    tidy(() => tf.variable(tf.tensor2d(values, shape)));
  return { module, path, a: variable(a, [r, module.into]), b: variable(b, [module.out, r]) };
}

function placesOf(pair: LoraPair) {
  let first = 0;
  return pair.module.matrices.map(({ name, rows }) => {
    const place = { pair, first, rows };
    first += rows;
    return [name, place] as const;
  });
}

/** The rows of B that stand beside one matrix. */
function rowsOf({
  pair: { b, module },
  first,
  rows,
}: {
  pair: LoraPair;
  first: number;
  rows: number;
}): tf.Tensor2D {
  const whole = b as tf.Tensor as tf.Tensor2D;
  return rows === module.out ? whole : tf.slice(whole, [first, 0], [rows, whole.shape[1]]);
}

/** The last names of modules where all of that name are adapted, as PEFT writes them, and whole names elsewhere. */
function targetsOf(pairs: readonly LoraPair[], modules: readonly LinearModule[]): string[] {
  const names = new Set(pairs.map(({ module }) => module.name));
  const isWhole = (last: string) => modules.every(({ name }) => lastName(name) !== last || names.has(name));
  const targets = pairs.map(({ module, path }) =>
    isWhole(lastName(module.name)) ? lastName(module.name) : path,
  );
  return [...new Set(targets)].toSorted();
}

/** What PEFT calls the task of a class of transformers. */
function taskOf(className: string): string | undefined {
  if (/CausalLM$|LMHeadModel$/.test(className)) return "CAUSAL_LM";
  if (/ConditionalGeneration$|MTModel$/.test(className)) return "SEQ_2_SEQ_LM";
  return /[a-z\d]Model$/i.test(className) ? "FEATURE_EXTRACTION" : undefined;
}
