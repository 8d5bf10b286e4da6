import { encodeSafetensors, type SafetensorsTensor } from "../../core/safetensors.ts";
import { assemble } from "./assemble.ts";
import { LAYER_FIELDS, VERSION } from "./metadata.ts";
import { METADATA, type ReadOptions } from "./read.ts";
import type { Trace, TraceInput } from "./trace.ts";
import { checkValues } from "./values.ts";

/**
 * A trace from its parts, checked as a file would be. Shares the arrays that it is given.
 *
 * @throws DataError FORMAT
 * @example
 * const attn = traceTensor([1, 1, 2], [0.25, 0.75]);
 * const tokens = { src: ["I", "am"], tgt: ["suis"] };
 * createTrace({ tokens, layers: [{ alignQ: "tgt", alignK: "src", attn }] }).layers[0].S; // 2
 */
export function createTrace(input: TraceInput, { values = true }: ReadOptions = {}): Trace {
  const trace = assemble("createTrace", input);
  if (values) checkValues("createTrace", trace);
  return trace;
}

/** The names of a layer's tensors, before the number of the layer. */
const TENSORS = ["attn", "q", "k", "lse", "bias", "mask", "vnorm", "grad", "thumb"] as const;

/**
 * The bytes of a trace, the same for the same trace: see `readTrace` for what they are.
 *
 * @throws DataError FORMAT when a gate's name is none that a file can have
 * @example
 * const attn = traceTensor([1, 1, 2], [0.25, 0.75], "u8log");
 * const tokens = { src: ["I", "am"], tgt: ["suis"] };
 * const trace = createTrace({ tokens, layers: [{ alignQ: "tgt", alignK: "src", attn }] });
 * readTrace(writeTrace(trace)).tokens.tgt; // ["suis"]
 */
export function writeTrace(trace: Trace): Uint8Array {
  const tensors: Record<string, SafetensorsTensor> = Object.create(null);
  for (const [l, layer] of trace.layers.entries()) {
    for (const name of TENSORS) {
      const tensor = layer[name];
      if (tensor) tensors[`${name}.${l}`] = tensor.stored();
    }
    for (const [stage, tensor] of Object.entries(layer.scores))
      tensors[`scores.${l}.${stage}`] = tensor.stored();
  }
  for (const [t, glimpse] of trace.glimpses.entries()) tensors[`glimpse.${t}`] = glimpse.stored();
  for (const [name, gate] of Object.entries(trace.gates)) tensors[`gate.${name}`] = gate.stored();
  const { image, grid, name, tokens, glimpseSizes } = trace;
  if (image) tensors.image = { dtype: "U8", shape: [image.length], data: image };
  if (grid) {
    const data = Int32Array.of(grid.height, grid.width, grid.patch, grid.cls);
    tensors.grid = { dtype: "I32", shape: [4], data };
  }
  const layers = trace.layers.map((layer) =>
    Object.fromEntries(LAYER_FIELDS.map((field) => [field, layer[field]])),
  );
  return encodeSafetensors(tensors, {
    [METADATA]: JSON.stringify({ version: VERSION, name, tokens, layers, glimpseSizes }),
  });
}
