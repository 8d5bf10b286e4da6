import { DataError, type Fault } from "../../core/errors.ts";
import { decodeSafetensors, type SafetensorsFile } from "../../core/safetensors.ts";
import { assemble } from "./assemble.ts";
import { described, fault, quoted, shown } from "./fault.ts";
import { readMetadata } from "./metadata.ts";
import { type Encoding, fromSafetensors, TraceTensor } from "./tensor.ts";
import type { ImageGrid, LayerInput, Trace } from "./trace.ts";
import { checkValues } from "./values.ts";

/** The name of the metadata in a file's header. */
export const METADATA = "attn_trace";
const WRITE_AGAIN = "copy or download it again";

export interface ReadOptions {
  /** Looks at every value once; shapes are always checked. @default true */
  readonly values?: boolean;
  /** The most memory that what the file says of its tensors may take, in bytes. @default 2³⁰ */
  readonly mostBytes?: number | undefined;
}

/**
 * Reads a trace: a file of safetensors with a JSON text in its metadata, under `attn_trace`.
 *
 *     {"version": 1, "tokens": {"src": ["I", "am"]}, "layers": [{"alignQ": "src", "alignK": "src"}]}
 *
 * Tensors (l counts layers; those not named here are passed over):
 *
 *     attn.l              [H, T, S]             weights: F32, F16, BF16, F64, or U8 in the code of `encodeU8Log`
 *     q.l, k.l and lse.l  [H, T, D], [Hkv, S, D], [H, T]    instead: the weights are recomputed
 *     bias.l              [H or 1, T or 1, S]   added to the scores
 *     mask.l              [T, S] or [H, T, S]   BOOL or U8, true = may attend; maskSpec in the JSON costs nothing
 *     vnorm.l             [Hkv, S]              norms of the values
 *     scores.l.raw …      [H, T, S]             and scaled, biased, masked, probs, dropped
 *     grad.l              [H, T, S]             the loss's gradient by the weights
 *     thumb.l             [H, rows, columns]    U8, a small picture of each head
 *     image and grid      [bytes] and [4]       a PNG, U8; height, width, patch and cls, I32
 *     glimpse.t           [6] or [2, 3]         one for each step; "glimpseSizes": [[rows, columns], …] in the JSON
 *     gate.name           [C], [T, C] or [height, width]
 *
 * A layer's JSON may hold name, rowSums, scale, softCap and maskSpec, as in `LayerInput`. Nothing is copied or
 * converted until it is asked for (where `bytes` is aligned to 8), and no more is allocated than the file justifies.
 * Cost: O(bytes), in one pass over the values.
 *
 * @throws DataError FORMAT, UNSUPPORTED for a type such as F8, LIMIT: it says what is wrong, where, and what to do
 * @example
 * const attn = traceTensor([1, 2, 2], [1, 0, 0.25, 0.75]);
 * const layers = [{ alignQ: "src", alignK: "src", maskSpec: { right: 0 }, attn }];
 * const bytes = writeTrace(createTrace({ tokens: { src: ["I", "am"] }, layers }));
 * layerMap(readTrace(bytes).layers[0]).row(0, 1).values; // Float32Array [0.25, 0.75]
 */
export function readTrace(bytes: Uint8Array, { values = true, mostBytes }: ReadOptions = {}): Trace {
  const op = "readTrace";
  const { tensors, metadata } = decode(op, bytes, mostBytes);
  const head = readMetadata(op, metadata[METADATA]);
  const layers = head.layers.map((layer) => ({ ...layer }) as Record<string, unknown>);
  const glimpses: TraceTensor[] = [];
  const gates: Record<string, TraceTensor> = Object.create(null);
  let image: Uint8Array | undefined;
  let grid: ImageGrid | undefined;
  for (const [name, stored] of Object.entries(tensors)) {
    const place = quoted(name);
    const read = (): TraceTensor =>
      fromSafetensors(stored) ??
      fault(op, place, "be F32, F16, BF16, F64, U8 or BOOL", stored.dtype, "convert it");
    const [, kind = "", number = "", stage] = LAYER_TENSOR.exec(name) ?? [];
    const [, step] = /^glimpse\.(0|[1-9]\d{0,8})$/.exec(name) ?? [];
    if (kind) {
      const layer = layers[Number(number)];
      const rule = `belong to one of the ${layers.length} layers`;
      if (!layer) fault(op, place, rule, `layer ${number}`, "add it to layers");
      if ((stage === undefined) === (kind === "scores"))
        fault(op, place, "have a stage for scores alone", place, 'name it "scores.0.raw" or "attn.0"');
      if (stage === undefined) layer[kind] = kind === "mask" ? asBool(read()) : read();
      else {
        layer.scores ??= Object.create(null);
        (layer.scores as Record<string, TraceTensor>)[stage] = read();
      }
    } else if (step !== undefined) {
      glimpses[Number(step)] = read();
    } else if (name.startsWith("gate.")) gates[name.slice(5)] = read();
    else if (name === "image") {
      if (stored.dtype !== "U8")
        fault(op, place, "hold the bytes of a PNG, U8", stored.dtype, "write the file's bytes");
      image = stored.data as Uint8Array;
    } else if (name === "grid") {
      const { data } = stored;
      if (data.length !== 4)
        fault(op, place, "be [height, width, patch, cls]", shown(stored.shape), "write these four numbers");
      const [height, width, patch, cls] = Array.from(data as ArrayLike<number | bigint>, Number);
      grid = { height: height!, width: width!, patch: patch!, cls: cls! };
    }
  }
  for (let t = 0; t < glimpses.length; t++)
    if (!glimpses[t]) fault(op, `glimpse.${t}`, "be there", "none", "number the glimpses from 0");
  const { name, tokens, glimpseSizes } = head;
  const trace = assemble(op, {
    ...(name === undefined ? {} : { name }),
    tokens,
    layers: layers as unknown as LayerInput[],
    glimpses,
    gates,
    ...(glimpseSizes === undefined ? {} : { glimpseSizes }),
    ...(image ? { image } : {}),
    ...(grid ? { grid } : {}),
  });
  if (values) checkValues(op, trace);
  return trace;
}

const LAYER_TENSOR = /^(attn|q|k|lse|bias|mask|vnorm|grad|thumb|scores)\.(0|[1-9]\d{0,8})(?:\.(.*))?$/s;

/** Masks may be bytes as well: numpy's uint8. */
function asBool(tensor: TraceTensor): TraceTensor {
  const bytes: readonly Encoding[] = ["u8log", "bool"];
  if (!bytes.includes(tensor.encoding)) return tensor;
  return new TraceTensor(tensor.shape, "bool", tensor.data as Uint8Array);
}

function decode(op: string, bytes: Uint8Array, mostBytes?: number): SafetensorsFile {
  if (!ArrayBuffer.isView(bytes)) fault(op, "the file", "be a Uint8Array", described(bytes), "read it first");
  try {
    return decodeSafetensors(bytes, { mostBytes });
  } catch (error) {
    if (!(error instanceof DataError) || error.code !== "DAMAGED") throw error;
    const promised = promisedBytes(bytes);
    if (promised > bytes.length) {
      const rule = `have the ${promised} bytes that its header promises`;
      fault(op, "the file", rule, `${bytes.length}: it is cut off`, WRITE_AGAIN);
    }
    const { rule, got } = error.details as Fault;
    return fault(op, "the file", `be safetensors, where ${rule}`, String(got), WRITE_AGAIN);
  }
}

/** How long a file says it is; 0 where that cannot be read. */
function promisedBytes(bytes: Uint8Array): number {
  if (bytes.length < 8) return 0;
  const header = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  // A trace begins with its header's brace; anything else only looks like a length.
  if (bytes.length > 8 && bytes[8] !== 0x7b) return 0;
  if (header > bytes.length - 8) return header <= 100_000_000 ? 8 + header : 0;
  try {
    const entries = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + header))) as object;
    const ends = Object.values(entries).map((entry) => entry?.data_offsets?.[1]);
    const last = ends.reduce((most, end) => (Number.isSafeInteger(end) ? Math.max(most, end) : most), 0);
    return 8 + header + last;
  } catch {
    return 0;
  }
}
