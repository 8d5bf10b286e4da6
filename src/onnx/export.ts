import type { LayersModel } from "@tensorflow/tfjs-layers";
import { OptionError } from "../core/errors.ts";
import { notAChoice } from "../core/faults.ts";
import { isObject } from "../core/is-object.ts";
import { checkTransformer } from "../models/transformer/check-model.ts";
import type { Transformer } from "../models/transformer/transformer.ts";
import type { Graph } from "./format/graph.ts";
import { layersGraph } from "./layers/model.ts";
import { crossDecoderGraph, decoderGraph } from "./transformer/decoder.ts";
import { encoderGraph, type ImageOptions } from "./transformer/encoder.ts";

const OP = "exportOnnx";
/** Versions of the operators, by how attention is said. */
const OPSETS = { operator: 23, plain: 20 } as const;
const PARTS = ["encoder", "decoder"] as const;

export interface OnnxOptions {
  /**
   * "operator" says attention and RMS norms as the operators of version 23 do, which onnxruntime has had since 1.23; "plain"
   * as products and softmax of version 20, which older ones run. @default "operator"
   */
  readonly attention?: "operator" | "plain";
  /** Of a model with encoder and decoder, which of its two files. */
  readonly part?: "encoder" | "decoder";
  /** A model of patches then takes images `pixel_values` [B, channels, height, width]. @default patches `inputs` [B, T, Cin] */
  readonly image?: ImageOptions;
}

/**
 * A model as an ONNX file with its weights inside, for onnxruntime and onnxruntime-web.
 *
 * A Transformer has the names that Optimum gives and transformers.js reads:
 *
 *     encoder    input_ids, attention_mask, token_type_ids → logits or last_hidden_state, pooler_output
 *     decoder    input_ids, attention_mask [B, P + T], past_key_values.N.key → logits, present.N.key
 *     of both    input_ids, encoder_hidden_states, encoder_attention_mask, past_key_values.N.decoder.key,
 *                past_key_values.N.encoder.key, use_cache_branch → logits, present.N.decoder.key, present.N.encoder.key
 *
 * A `tf.LayersModel` has the names of its input layers, and for outputs those of the layers that give them, with a dot and
 * the number of the output; `ONNX_LAYERS` are the layers that can be in it, among them every layer of heed. What `SlotAttention`
 * begins with, and the hashes of `LSHSelfAttention`, are the numbers that are drawn here: the file draws them in the same way, for
 * any batch and length. Sparse layers are masks of every pair. `BlockSparseAttention` with random blocks needs an input of a fixed
 * length, for which they are drawn.
 *
 * Shapes: keys and values [B, Hkv, P, D], P = 0 in the first step; B, T and P may differ from call to call.
 * Conventions: `attention_mask` is 1 where there is a token; a decoder's padding takes no position and may stand on either
 * side. Rotated and sinusoidal positions go up to 262,143. The decoder of two files is Optimum's "merged" one. Layers are
 * those of inference: their masks of padding go along, and a query that sees nothing gives 0.
 * Cost: the file, and one parameter at a time beside it.
 *
 * @throws OptionError OPTION, CONFLICT for options that are not this model's, UNSUPPORTED naming a layer that the format cannot say ·
 *   DataError LIMIT for a file above 2 GiB
 * @example
 * const model = new Transformer(gpt2({ layers: 2, width: 8, heads: 2, vocabulary: 11, positions: 16 }), 1);
 * const file = exportOnnx(model); // for fs.writeFileSync, or InferenceSession.create
 * file.length > 4 * model.parameters.size; // true
 * model.dispose();
 */
export function exportOnnx(model: Transformer | LayersModel, options: OnnxOptions = {}): Uint8Array {
  const { attention = "operator" } = options;
  if (!Object.hasOwn(OPSETS, attention)) {
    const choices = Object.keys(OPSETS).map((word) => `"${word}"`);
    throw new OptionError("OPTION", notAChoice({ op: OP, name: "attention", choices, got: attention }));
  }
  const opset = OPSETS[attention];
  if (isObject(model) && "layers" in model) return layersGraph(model as LayersModel, opset).toBytes();
  checkTransformer(OP, model, "model, where it is no LayersModel,");
  checkOptions(model, options);
  model.parameters.trainable(OP);
  return graphOf(model, opset, options).toBytes();
}

/**
 * The files that a model is exported to, by their names in the folder `onnx` of a published model.
 *
 * @example
 * const model = new Transformer(gpt2({ layers: 2, width: 8, heads: 2, vocabulary: 11, positions: 16 }), 1);
 * onnxFiles(model); // [{ name: "model.onnx" }]
 * model.dispose();
 */
export function onnxFiles({
  config,
}: Pick<Transformer, "config">): { name: string; part?: "encoder" | "decoder" }[] {
  if (config.encoderLayers === 0 || config.decoderLayers === 0) return [{ name: "model.onnx" }];
  return [
    { name: "encoder_model.onnx", part: "encoder" },
    { name: "decoder_model_merged.onnx", part: "decoder" },
  ];
}

function graphOf(model: Transformer, opset: number, { part, image }: OnnxOptions): Graph {
  const { encoderLayers } = model.config;
  if (encoderLayers === 0) return decoderGraph(model, opset);
  return part === "decoder" ? crossDecoderGraph(model, opset) : encoderGraph(model, opset, image);
}

function checkOptions({ config }: Transformer, { part, image }: OnnxOptions): void {
  const refuse = (code: "OPTION" | "CONFLICT", rule: string, got: string, remedy: string) => {
    throw new OptionError(code, { op: OP, rule, got, remedy });
  };
  const hasBoth = config.encoderLayers > 0 && config.decoderLayers > 0;
  if (hasBoth && !PARTS.includes(part as "encoder")) {
    const rule = 'of a model with encoder and decoder part must be "encoder" or "decoder"';
    refuse("OPTION", rule, part === undefined ? "none" : String(part), "export each to a file of its own");
  }
  if (!hasBoth && part !== undefined) {
    refuse("CONFLICT", "part must name one of two", `${part} of a model of one part`, "leave it out");
  }
  if (!image) return;
  const { patchSize, channels = 3 } = image;
  const numbers = channels * patchSize * patchSize;
  if (config.inputWidth === numbers) return;
  const rule = `image must have channels · patchSize² = inputWidth = ${config.inputWidth ?? "none"}`;
  refuse("CONFLICT", rule, String(numbers), "give those of the model, or leave image out");
}
