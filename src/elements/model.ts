import { size } from "../core/notation.ts";
import { denseMap } from "../inspect/map/dense.ts";
import { layerMap } from "../inspect/map/layer.ts";
import type { AttentionMap } from "../inspect/map/map.ts";
import { readTrace } from "../inspect/trace/read.ts";
import type { TraceTensor } from "../inspect/trace/tensor.ts";
import type { Trace, TraceInput } from "../inspect/trace/trace.ts";
import { createTrace } from "../inspect/trace/write.ts";
import { refuse } from "../viz/refuse.ts";

/** Bytes, however they arrive: a notebook sends a DataView that is aligned to nothing. */
export type TraceBytes = ArrayBuffer | ArrayBufferView;

/** Numbers one after the other, in rows [T][S], or in heads [H][T][S]. */
export type Numbers =
  | ArrayLike<number>
  | ArrayLike<ArrayLike<number>>
  | ArrayLike<ArrayLike<ArrayLike<number>>>;

/** One layer as the views see it. */
export interface ModelLayer {
  readonly name: string;
  readonly H: number;
  readonly T: number;
  readonly S: number;
  readonly rowTokens: readonly string[];
  readonly columnTokens: readonly string[];
  readonly thumb?: TraceTensor | undefined;
  readonly map: AttentionMap;
}

/** What an element shows. */
export interface Model {
  readonly layers: readonly ModelLayer[];
  readonly trace?: Trace;
}

/** The trivial case: weights and the tokens of their rows and columns. */
export interface PlainWeights {
  /** [T, S] or [H, T, S], flat or in rows. */
  readonly weights: Numbers;
  readonly rowTokens: readonly string[];
  readonly columnTokens: readonly string[];
  /** [T, S] or [H, T, S], flat: true or 1 = may attend. */
  readonly mask?: ArrayLike<number | boolean> | undefined;
}

/** Copies bytes so that they begin at an address that every typed array accepts. */
export function alignedBytes(data: TraceBytes): Uint8Array<ArrayBuffer> {
  const view = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
  if (view.byteOffset % 8 === 0 && view.buffer instanceof ArrayBuffer) return view as Uint8Array<ArrayBuffer>;
  return new Uint8Array(view);
}

const isBytes = (data: unknown): data is TraceBytes =>
  data instanceof ArrayBuffer || ArrayBuffer.isView(data);

/**
 * A trace, its parts or its bytes as a model; one without layers only where a view needs none.
 *
 * @throws DataError FORMAT · OptionError OPTION
 */
export function modelOfTrace(op: string, data: Trace | TraceInput | TraceBytes, needsLayers = true): Model {
  const isParts = typeof data === "object" && data !== null && Array.isArray((data as TraceInput).layers);
  if (!isBytes(data) && !(isParts && typeof (data as TraceInput).tokens === "object")) {
    const rule = "a trace, or the bytes of one";
    const got = data === null ? "null" : Array.isArray(data) ? "an array" : `${typeof data}`;
    const remedy = "pass what readTrace or createTrace returns, or the file's bytes";
    refuse(op, "trace", rule, got, remedy);
  }
  const trace = isBytes(data)
    ? readTrace(alignedBytes(data))
    : (data.layers as Trace["layers"]).every(({ H, T, S }) => H > 0 && T > 0 && S > 0)
      ? (data as Trace)
      : createTrace(data as TraceInput);
  if (needsLayers && trace.layers.length === 0)
    refuse(op, "trace", "a trace with a layer or more", "none", "capture a layer");
  const layers = trace.layers.map((layer): ModelLayer => {
    let map: AttentionMap | undefined;
    return {
      name: layer.name,
      H: layer.H,
      T: layer.T,
      S: layer.S,
      rowTokens: trace.tokens[layer.alignQ]!,
      columnTokens: trace.tokens[layer.alignK]!,
      thumb: layer.thumb,
      get map() {
        map ??= layerMap(layer);
        return map;
      },
    };
  });
  return { layers, trace };
}

/**
 * Weights with their tokens as a model of one layer.
 *
 * @throws OptionError OPTION · ShapeError SHAPE
 */
export function modelOfWeights(op: string, data: PlainWeights): Model {
  const { rowTokens, columnTokens, mask } = data;
  for (const [option, tokens] of Object.entries({ rowTokens, columnTokens })) {
    const good = Array.isArray(tokens) && tokens.length > 0 && tokens.every((t) => typeof t === "string");
    if (good) continue;
    const rule = "a list of one token or more";
    const got = Array.isArray(tokens) ? `${tokens.length} values` : typeof tokens;
    const remedy = "pass a token for every row and every column";
    refuse(op, option, rule, got, remedy);
  }
  const [T, S] = [rowTokens.length, columnTokens.length];
  const weights = flat(op, data.weights, S);
  const H = Math.max(1, Math.round(weights.length / size([T, S])));
  const map = denseMap({ H, T, S, weights, rowSums: "free", ...(mask ? { mask } : {}) });
  return { layers: [{ name: "layer 0", H, T, S, rowTokens, columnTokens, map }] };
}

/** Rows one after another; each must have S weights, or all of a head: rows of other lengths would move the next ones. */
function flat(op: string, numbers: Numbers, S: number): ArrayLike<number> {
  if (typeof numbers[0] !== "object") return numbers as ArrayLike<number>;
  return Array.from(numbers as ArrayLike<Numbers>).flatMap((part) => {
    const row = Array.from(flat(op, part, S));
    if (row.length % S) refuse(op, "weights", `rows of ${S}`, `${row.length}`, "pass [H][T][S]");
    return row;
  });
}
