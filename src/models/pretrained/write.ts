import { OptionError } from "../../core/errors.ts";
import { HALF } from "../../core/half.ts";
import { encodeSafetensors, type SafetensorsTensor } from "../../core/safetensors.ts";
import { checkTransformer } from "../transformer/check-model.ts";
import { transformerParameters } from "../transformer/parameters.ts";
import { toPublished } from "../transformer/published.ts";
import type { Transformer } from "../transformer/transformer.ts";
import { formOf } from "./form.ts";
import { halvesOf, isReordered } from "./pair-order.ts";

const OP = "writePretrained";

/** Kinds of numbers that weights are written in, by what config.json calls them. */
const DTYPES = { F32: "float32", F16: "float16", BF16: "bfloat16" } as const;

/** F32 keeps every bit; F16 and BF16 take half the space. */
export type WeightType = keyof typeof DTYPES;

export interface PublishOptions {
  /** @default "F32" */
  readonly dtype?: WeightType;
}

/** A model as the files of a folder that the Hugging Face hub has: what stands in them, made when it is asked for. */
export interface PublishedModel {
  readonly config: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: Readonly<
    Record<string, { readonly dtype: WeightType; readonly shape: readonly number[] }>
  >;
  /** The values of one tensor. @throws OptionError NOT_FINITE for one that float16 cannot hold */
  tensor(name: string): SafetensorsTensor;
}

/**
 * @param config the config.json that the model was loaded with; `{}` for a Llama that has none
 * @throws OptionError OPTION · DataError UNSUPPORTED
 */
export function publishedModel(
  model: Transformer,
  config: Readonly<Record<string, unknown>>,
  { dtype = "F32" }: PublishOptions = {},
): PublishedModel {
  checkTransformer(OP, model);
  if (!Object.hasOwn(DTYPES, dtype)) {
    const rule = `dtype must be ${Object.keys(DTYPES).join(", ")}`;
    throw new OptionError("OPTION", { op: OP, rule, got: dtype, remedy: "choose one of them" });
  }
  const form = formOf(model.config, config);
  const specs = transformerParameters(model.config);
  const variables = model.parameters.trainable(OP);
  const made = toPublished(form.names, specs, (parameter) => {
    const values = variables[parameter]!.dataSync() as Float32Array;
    const rows = specs[parameter]!.shape[0]!;
    return isReordered(model.config, parameter) ? halvesOf(values, rows, model.config.headWidth) : values;
  });
  const tensors = [...made].map(([name, { shape, values }]) => {
    return [form.nameOf(name), { dtype, shape: [...(form.shapes?.[name] ?? shape)], values }] as const;
  });
  const byName = new Map(tensors);
  return {
    config: { ...form.json, torch_dtype: DTYPES[dtype] },
    // transformers refuses a file that does not say for which library it is.
    metadata: { format: "pt" },
    tensors: Object.fromEntries(tensors.map(([name, { shape }]) => [name, { dtype, shape }])),
    tensor(name) {
      const { shape, values } = byName.get(name)!;
      return { dtype, shape, data: convert(name, values(), dtype) } as SafetensorsTensor;
    },
  };
}

function convert(name: string, values: Float32Array, dtype: WeightType): Float32Array | Uint16Array {
  if (dtype === "F32") return values;
  const half = HALF[dtype === "F16" ? "float16" : "bfloat16"];
  const words = half.encode(values);
  const lost = half
    .decode(words)
    .findIndex((value, n) => !Number.isFinite(value) && Number.isFinite(values[n]));
  if (lost < 0) return words;
  throw new OptionError("NOT_FINITE", {
    op: OP,
    rule: `${dtype} must hold every number of ${name}, which it does up to ${half.largest}`,
    got: values[lost],
    remedy: "choose BF16 or F32",
  });
}

/**
 * A model as the files of a folder that transformers and `loadPretrained` read: its weights under their published names, and
 * its configuration. The tokenizer is not the model's: its files are copied from where they were.
 *
 *     q, k of GGUF     their rows as published models have them, in halves
 *     tied matrices    written once
 *     a classifier     with names of its classes, LABEL_0 …, where there are none
 *
 * @param config the config.json that the model was loaded with, which is kept but for what its tensors decide; a Llama that has
 *   none, because it came as GGUF or was made here, is given one
 * @throws OptionError OPTION, NOT_FINITE · DataError UNSUPPORTED
 * @example
 * const model = new Transformer(llama({ layers: 1, width: 8, heads: 2, vocabulary: 11 }), 1);
 * const files = encodePretrained(model, { max_position_embeddings: 64 });
 * JSON.parse(files["config.json"]).architectures; // ["LlamaForCausalLM"]
 * files["model.safetensors"].length > 4 * model.parameters.size; // true
 * model.dispose();
 */
export function encodePretrained(
  model: Transformer,
  config: Readonly<Record<string, unknown>> = {},
  options: PublishOptions = {},
): { "config.json": string; "model.safetensors": Uint8Array } {
  checkTransformer("encodePretrained", model);
  const published = publishedModel(model, config, options);
  const names = Object.keys(published.tensors);
  const tensors = Object.fromEntries(names.map((name) => [name, published.tensor(name)]));
  return {
    "config.json": `${JSON.stringify(published.config, null, 2)}\n`,
    "model.safetensors": encodeSafetensors(tensors, published.metadata),
  };
}
