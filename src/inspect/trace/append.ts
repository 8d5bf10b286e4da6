import { visibleKeys } from "../mask.ts";
import { U8LOG_MASKED } from "../u8log.ts";
import { assemble } from "./assemble.ts";
import { fault, quoted, shown } from "./fault.ts";
import { TraceTensor } from "./tensor.ts";
import type { GlimpseSize, Trace, TraceLayer } from "./trace.ts";
import { checkValues } from "./values.ts";

/** What one step of decoding adds to a layer: n queries and m keys, so many as its axes have new tokens. */
export interface LayerStep {
  /** The new queries' weights over all keys, old and new: [H, n, S + m]. */
  readonly attn?: TraceTensor;
  /** [H, n, D], [Hkv, m, D] and [H, n]. */
  readonly q?: TraceTensor;
  readonly k?: TraceTensor;
  readonly lse?: TraceTensor;
  /** [Hkv, m] */
  readonly vnorm?: TraceTensor;
}

export interface TraceStep {
  /** New tokens by axis; axes that do not grow may be left out. */
  readonly tokens: Readonly<Record<string, readonly string[]>>;
  /** One for each layer, with the tensors that the layer has. */
  readonly layers: readonly LayerStep[];
  readonly glimpses?: readonly TraceTensor[];
  /** Of the new glimpses, where those of the trace are known. */
  readonly glimpseSizes?: readonly GlimpseSize[];
}

const GROWING = ["attn", "q", "k", "lse", "vnorm"] as const;
const FIXED = ["bias", "mask", "grad"] as const;

/**
 * The trace one step of decoding later. The old one stays as it is; small pictures (`thumb`), which no longer fit, are
 * left out.
 *
 * Conventions: new keys must be hidden from earlier queries, which a layer says with `maskSpec: { right: 0 }` or, in
 * maps of `u8log`, by itself. Cost: O(bytes of the trace), so take several tokens at once where there are many.
 *
 * @throws DataError FORMAT, for a step that does not fit or whose values would be refused in a file
 * @example
 * const layer = { alignQ: "src", alignK: "src", maskSpec: { right: 0 }, attn: traceTensor([1, 1, 1], [1]) };
 * const trace = createTrace({ tokens: { src: ["I"] }, layers: [layer] });
 * const step = { tokens: { src: ["am"] }, layers: [{ attn: traceTensor([1, 1, 2], [0.25, 0.75]) }] };
 * appendStep(trace, step).layers[0].attn.slice(); // Float32Array [1, 0, 0.25, 0.75]
 */
export function appendStep(trace: Trace, step: TraceStep): Trace {
  const op = "appendStep";
  for (const axis of Object.keys(step.tokens))
    if (!Object.hasOwn(trace.tokens, axis))
      fault(op, "tokens", "grow an axis of the trace", quoted(axis), "name one that it has");
  if (step.layers.length !== trace.layers.length) {
    const remedy = "pass one entry for each layer";
    fault(op, "the step", `have ${trace.layers.length} layers`, `${step.layers.length}`, remedy);
  }
  const added = (axis: string) => (Object.hasOwn(step.tokens, axis) ? step.tokens[axis]! : []);
  const tokens = Object.fromEntries(
    Object.entries(trace.tokens).map(([axis, list]) => [axis, [...list, ...added(axis)]]),
  );
  const layers = trace.layers.map((layer, l) => {
    const n = added(layer.alignQ).length;
    const m = added(layer.alignK).length;
    return n + m === 0 ? layer : growLayer(op, layer, step.layers[l]!, n, m);
  });
  const glimpses = [...trace.glimpses, ...(step.glimpses ?? [])];
  const sizes = [...(trace.glimpseSizes ?? []), ...(step.glimpseSizes ?? [])];
  const parts = { ...trace, tokens, layers, glimpses, ...(sizes.length > 0 && { glimpseSizes: sizes }) };
  const grown = assemble(op, parts);
  const firstRows = trace.layers.map(({ T }) => T);
  checkValues(op, grown, firstRows);
  return grown;
}

function growLayer(op: string, layer: TraceLayer, step: LayerStep, n: number, m: number) {
  const { index, H, Hkv, T, S, D, attn, maskSpec } = layer;
  const fixed = FIXED.find((name) => layer[name]) ?? Object.keys(layer.scores)[0];
  if (fixed) {
    const remedy = "use maskSpec for the mask, and capture the rest when decoding is done";
    fault(op, `layer ${index}`, `grow by ${GROWING.join(", ")} alone`, `a layer with ${fixed}`, remedy);
  }
  // Query T − 1 sees furthest among the old ones.
  if (m > 0 && attn?.encoding !== "u8log" && visibleKeys(maskSpec, T - 1, S + m)[1] > S) {
    const remedy = `give the layer maskSpec: { right: 0, offset: ${S - T} } when the trace is made`;
    fault(op, `layer ${index}`, "hide new keys from earlier queries", "a mask that shows them", remedy);
  }
  const sizes = { attn: [H, n, S + m], q: [H, n, D], k: [Hkv, m, D], lse: [H, n], vnorm: [Hkv, m] };
  const { thumb: _, ...kept } = layer;
  const grown: { [Name in (typeof GROWING)[number]]?: TraceTensor } = {};
  for (const name of GROWING) {
    const [old, added] = [layer[name], step[name]];
    if (!old) continue;
    const place = `${name} of the step in layer ${index}`;
    const shape = sizes[name] as number[];
    const ofKeys = name === "k" || name === "vnorm";
    if ((ofKeys ? m : n) === 0) {
      grown[name] = name === "attn" ? widen(old, m) : old;
      continue;
    }
    if (!added || added.shape.length !== shape.length || added.shape.some((x, axis) => x !== shape[axis])) {
      const got = added ? shown(added.shape) : "none";
      fault(op, place, `be ${shown(shape)}`, got, "pass what the trace has, for the new tokens");
    }
    if (added.encoding !== old.encoding)
      fault(op, place, `be stored as ${old.encoding}, like the rest`, added.encoding, "convert it");
    grown[name] = join(name === "attn" ? widen(old, m) : old, added);
  }
  return { ...kept, ...grown };
}

/** [H, T, S] → [H, T, S + m]: the new keys hidden. */
function widen(old: TraceTensor, m: number): TraceTensor {
  if (m === 0) return old;
  const [H, T, S] = old.shape as [number, number, number];
  const data = makeLike(old, H * T * (S + m));
  if (old.encoding === "u8log") data.fill(U8LOG_MASKED);
  for (let row = 0; row < H * T; row++) data.set(old.data.subarray(row * S, (row + 1) * S), row * (S + m));
  return new TraceTensor([H, T, S + m], old.encoding, data);
}

/** [H, T, …] and [H, n, …] → [H, T + n, …]. */
function join(old: TraceTensor, added: TraceTensor): TraceTensor {
  const [H, T, ...rest] = old.shape as [number, number, ...number[]];
  const [before, behind] = [old.length / H, added.length / H];
  const data = makeLike(old, old.length + added.length);
  for (let h = 0; h < H; h++) {
    data.set(old.data.subarray(h * before, (h + 1) * before), h * (before + behind));
    data.set(added.data.subarray(h * behind, (h + 1) * behind), h * (before + behind) + before);
  }
  return new TraceTensor([H, T + added.shape[1]!, ...rest], old.encoding, data);
}

function makeLike({ data }: TraceTensor, length: number): TraceTensor["data"] {
  return new (data.constructor as new (length: number) => TraceTensor["data"])(length);
}
