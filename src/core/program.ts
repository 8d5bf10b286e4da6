/**
 * The attention program: the options of one call, validated and given one meaning. The composed path, the kernels
 * and the reference all execute this object, so none of them has an opinion of its own about a mask.
 *
 *     score(b,h,i,j)  = softCap·tanh((scale · q_bhi·k_bgj) / softCap) + bias(b,h,i,j)        g = ⌊h·Hkv/H⌋
 *     visible(b,h,i,j) = allow ∧ i < queryLengths_b ∧ j < keyLengths_b ∧ −left ≤ j − (i + offset_b) ≤ right
 *     weights = softmax of the visible scores (and of the sink, whose own weight is dropped);  out = weights · v
 *
 * Soft-cap comes after scale and before bias and mask (Gemma 2, ONNX Attention-25). Everything composes.
 * `bottomRight` aligns the last valid query of each example with its last valid key, by the lengths of that example and
 * not of the arrays: offset_b = keyLengths_b − queryLengths_b, so that padding changes nothing.
 * A row with no visible key gives 0 output, 0 weights, lse −∞ and 0 gradients (`onEmptyRow: "zero"`). Beside a sink its
 * lse is the sink's logit, of a query beyond `queryLengths` too: the sink is there for every query, and takes all.
 * Scores are of float32's range: one beyond it is ±∞. A score of +∞, by overflow or by a bias of +∞, takes all the mass
 * of its row, shared equally among the visible keys that have one, and its lse is +∞; NaN makes its own row NaN alone.
 */
import {
  checkChoice,
  checkLengths,
  checkOptionNames,
  type KnownNames,
  type OptionNames,
} from "./check-options.ts";
import { OptionError, ShapeError } from "./errors.ts";
import type { Modification, ModificationOptions } from "./expression/modification.ts";
import { noCausalCorner, notBool, notBroadcast, noWindowCorner, outOfRange } from "./faults.ts";
import { isObject } from "./is-object.ts";
import { type ArrayInfo, type AttentionShapes, type HostArray, show } from "./notation.ts";

export interface ProgramOptions<A extends ArrayInfo = ArrayInfo> {
  /** Factor of q·k; any finite number, 0 included. @default 1/√D */
  scale?: number;
  /** `true` where a query may attend: bool [T, S] or [B, H, T, S], any length may be 1. */
  allow?: A;
  /** Added to the scores: float [T, S] or [B, H, T, S], any length may be 1; −Infinity hides a key. */
  bias?: A;
  /** Query i sees keys up to its own position: `true` where T = S or with `queryOffset`; else name the corner. */
  causal?: boolean | "topLeft" | "bottomRight";
  /** The key position of query 0, as with a cache of earlier keys. @default 0 where T = S */
  queryOffset?: number;
  /** Keys seen before and after a query's own position, inclusive; both default to unbounded. */
  window?: { left?: number; right?: number };
  /** Valid queries per example, from 0 to T; later ones are padding and give 0. */
  queryLengths?: ArrayLike<number>;
  /** Valid keys per example, from 0 to S; later ones are padding and are never seen. */
  keyLengths?: ArrayLike<number>;
  /** Squashes scores into ±softCap; a positive number. @default none */
  softCap?: number;
  /** A logit, for all or one per head [H], that takes part in the softmax and has no value. @default none */
  sink?: number | A;
  /** Share of weights dropped, 0 ≤ rate < 1, and the seed that chooses them; only with `training`. @default none */
  dropout?: { rate: number; seed: number };
  /** Applies `dropout`. @default false */
  training?: boolean;
  /** A row without visible keys: zeros, an error, or the mean of the keys within `keyLengths`. @default "zero" */
  onEmptyRow?: OnEmptyRow;
}

export const PROGRAM_OPTION_NAMES: OptionNames<ProgramOptions> = {
  ...{ scale: true, allow: true, bias: true, causal: true, queryOffset: true, window: true },
  ...{ queryLengths: true, keyLengths: true, softCap: true, sink: true, dropout: true, training: true },
  onEmptyRow: true,
};

export type OnEmptyRow = "zero" | "error" | "uniform";

/** An array and the distance, in elements, of neighbours along b, h, i, j; 0 where it is repeated. */
export interface Broadcast<A extends ArrayInfo> {
  readonly array: A;
  readonly strides: readonly [number, number, number, number];
}

export interface DropoutPlan {
  readonly rate: number;
  readonly seed: number;
  /** A weight is dropped when its 32 random bits are below this. */
  readonly threshold: number;
  /** Factor of the weights that stay, 1/(1 − rate). */
  readonly keepScale: number;
}

export interface AttentionProgram<A extends ArrayInfo = ArrayInfo> {
  readonly op: string;
  readonly shapes: AttentionShapes;
  readonly scale: number;
  readonly softCap: number | undefined;
  readonly bias: Broadcast<A> | undefined;
  readonly allow: Broadcast<A> | undefined;
  /** Query i of example b stands at key position i + offsets[b]; one number where all examples share it. */
  readonly offset: number | Int32Array;
  /** Keys seen before and after that position; Infinity is unbounded. Causal is right = 0. */
  readonly left: number;
  readonly right: number;
  readonly queryLengths: Int32Array | undefined;
  readonly keyLengths: Int32Array | undefined;
  readonly sink: number | A | undefined;
  readonly dropout: DropoutPlan | undefined;
  readonly onEmptyRow: OnEmptyRow;
  /** The call's `scoreMod` and `maskMod`; see `compileModified`. */
  readonly modification?: Modification<A> | undefined;
}

/** A program whose arrays are in ordinary memory. */
export type HostProgram = AttentionProgram<HostArray>;

/**
 * Validates the options of one call and gives them their meaning. Where `scoreMod` and `maskMod` can be had, the call
 * goes through `compileModified`; here they are refused, so that none is ever ignored.
 *
 * @param others the names of more options, which a mechanism reads itself
 * @throws ShapeError SHAPE · OptionError UNKNOWN, DTYPE, OPTION, CONFLICT, UNSUPPORTED
 * @example
 * const shapes = { B: 1, T: 2, S: 3, H: 1, Hkv: 1, D: 4, Dv: 4 };
 * compileProgram("attention", shapes, { causal: "bottomRight" }).offset; // 1
 */
export function compileProgram<A extends ArrayInfo>(
  op: string,
  shapes: AttentionShapes,
  options: ProgramOptions<A> = {},
  ...others: readonly KnownNames[]
): AttentionProgram<A> {
  refuseModification(op, options as ModificationOptions);
  checkOptionNames(op, options, PROGRAM_OPTION_NAMES, ...others);
  return programOf(op, shapes, options);
}

/** `compileProgram` of options whose names were looked at; those that are not its own it passes over. */
export function programOf<A extends ArrayInfo>(
  op: string,
  shapes: AttentionShapes,
  options: ProgramOptions<A>,
): AttentionProgram<A> {
  const { B, T, S, D } = shapes;
  const queryLengths = lengthsOf(op, "queryLengths", options.queryLengths, B, T);
  const keyLengths = lengthsOf(op, "keyLengths", options.keyLengths, B, S);
  const { scale = 1 / Math.sqrt(D), softCap, allow, bias, onEmptyRow = "zero" } = options;
  if (!Number.isFinite(scale))
    throw new OptionError("OPTION", outOfRange({ op, name: "scale", rule: "a finite number", got: scale }));
  if (softCap !== undefined && !(softCap > 0 && softCap < Infinity)) {
    throw new OptionError(
      "OPTION",
      outOfRange({ op, name: "softCap", rule: "a positive number", got: softCap }),
    );
  }
  if (allow && allow.dtype !== "bool") throw new OptionError("DTYPE", notBool({ op, dtype: allow.dtype }));
  if (bias && !bias.dtype.startsWith("float"))
    throw new OptionError("DTYPE", {
      op,
      rule: "bias must hold floating-point numbers to add to the scores",
      got: bias.dtype,
      remedy: "pass booleans as allow",
    });
  checkChoice(op, "onEmptyRow", onEmptyRow, ["zero", "error", "uniform"]);
  return {
    op,
    shapes,
    scale,
    softCap,
    bias: bias && broadcast(op, "bias", bias, shapes),
    allow: allow && broadcast(op, "allow", allow, shapes),
    ...compileBand(op, shapes, options, { queryLengths, keyLengths }),
    queryLengths,
    keyLengths,
    sink: checkSink(op, options.sink, shapes),
    dropout: compileDropout(op, options),
    onEmptyRow,
  };
}

function compileBand(
  op: string,
  { B, T, S }: AttentionShapes,
  options: ProgramOptions,
  lengths: Pick<AttentionProgram, "queryLengths" | "keyLengths">,
) {
  const { causal = false, window, queryOffset } = options;
  if (typeof causal !== "boolean") checkChoice(op, "causal", causal, ["topLeft", "bottomRight"]);
  if (queryOffset !== undefined && !Number.isSafeInteger(queryOffset)) {
    throw new OptionError(
      "OPTION",
      outOfRange({ op, name: "queryOffset", rule: "an integer", got: queryOffset }),
    );
  }
  if (window !== undefined && !isObject(window)) {
    const rule = "window must be { left, right }, the keys seen before and after a query's own position";
    const remedy = "write { left: n − 1, right: 0 } for the last n keys";
    throw new OptionError("OPTION", { op, rule, got: JSON.stringify(window), remedy });
  }
  const { left = Infinity, right = Infinity } = window ?? {};
  for (const [name, n] of [
    ["window.left", left],
    ["window.right", right],
  ] as const) {
    if (n !== Infinity && !(Number.isSafeInteger(n) && n >= 0)) {
      throw new OptionError("OPTION", outOfRange({ op, name, rule: "an integer ≥ 0, or Infinity", got: n }));
    }
  }
  const bounded = left !== Infinity || right !== Infinity;
  let offset: number | Int32Array = queryOffset ?? 0;
  if (typeof causal === "string") {
    offset = causal === "topLeft" ? 0 : S - T;
    if (queryOffset !== undefined && queryOffset !== offset) {
      throw new OptionError("CONFLICT", {
        op,
        rule: `causal: "${causal}" already means queryOffset=${offset}`,
        got: `queryOffset=${queryOffset}`,
        remedy: "give one of the two, or causal: true with queryOffset",
      });
    }
    const { queryLengths, keyLengths } = lengths;
    if (causal === "bottomRight" && queryOffset === undefined && (queryLengths || keyLengths)) {
      offset = Int32Array.from({ length: B }, (_, b) => (keyLengths?.[b] ?? S) - (queryLengths?.[b] ?? T));
    }
  } else if (T !== S && queryOffset === undefined) {
    if (causal) throw new OptionError("CONFLICT", noCausalCorner({ op, T, S }));
    if (bounded) throw new OptionError("CONFLICT", noWindowCorner({ op, T, S }));
  }
  return { offset, left, right: causal ? 0 : right };
}

/**
 * A program with another `allow`.
 *
 * @throws ShapeError SHAPE
 */
export function withAllow<A extends ArrayInfo>(program: AttentionProgram<A>, allow: A): AttentionProgram<A> {
  return { ...program, allow: broadcast(program.op, "allow", allow, program.shapes) };
}

/** @throws OptionError UNSUPPORTED for options that only `compileModified` knows */
function refuseModification(op: string, options: Partial<Record<keyof ModificationOptions, unknown>>): void {
  const given = (["scoreMod", "maskMod", "tensors"] as const).find((name) => options[name] !== undefined);
  if (given === undefined) return;
  throw new OptionError("UNSUPPORTED", {
    op,
    rule: "functions of scores are for attention over q·k",
    got: given,
    remedy: "use attention, or bias and allow",
  });
}

function broadcast<A extends ArrayInfo>(
  op: string,
  name: string,
  array: A,
  shapes: AttentionShapes,
): Broadcast<A> {
  const { B, H, T, S } = shapes;
  const full = array.shape.length === 4 ? [B, H, T, S] : [T, S];
  if (array.shape.length !== full.length || array.shape.some((n, axis) => n !== 1 && n !== full[axis])) {
    const letters = full.length === 4 ? "[B, H, T, S]" : "[T, S] or [B, H, T, S]";
    throw new ShapeError("SHAPE", notBroadcast({ op, name, letters, expected: full, got: array.shape }));
  }
  const strides: [number, number, number, number] = [0, 0, 0, 0];
  let distance = 1;
  for (let axis = array.shape.length - 1; axis >= 0; axis--) {
    const n = array.shape[axis]!;
    if (n > 1) strides[axis + 4 - array.shape.length] = distance;
    distance *= n;
  }
  return { array, strides };
}

function lengthsOf(
  op: string,
  name: string,
  lengths: ArrayLike<number> | undefined,
  B: number,
  most: number,
) {
  return lengths === undefined ? undefined : Int32Array.from(checkLengths(op, name, lengths, B, most));
}

function checkSink<A extends ArrayInfo>(op: string, sink: number | A | undefined, { H }: AttentionShapes) {
  if (typeof sink === "number") {
    if (!Number.isFinite(sink))
      throw new OptionError("OPTION", outOfRange({ op, name: "sink", rule: "a finite number", got: sink }));
  } else if (sink && (sink.shape.length !== 1 || sink.shape[0] !== H)) {
    throw new ShapeError("SHAPE", {
      op,
      rule: `sink must be a number or an array [H] = [${H}]`,
      got: `shape ${show(sink.shape)}`,
      remedy: "give one logit per query head",
    });
  }
  return sink;
}

function compileDropout(op: string, { dropout, training = false }: ProgramOptions): DropoutPlan | undefined {
  if (!dropout) return undefined;
  if (typeof dropout !== "object")
    throw new OptionError(
      "OPTION",
      outOfRange({ op, name: "dropout", rule: "{ rate, seed }", got: dropout }),
    );
  const { rate, seed } = dropout;
  if (!(rate >= 0 && rate < 1))
    throw new OptionError(
      "OPTION",
      outOfRange({ op, name: "dropout.rate", rule: "at least 0 and below 1", got: rate }),
    );
  if (!(Number.isSafeInteger(seed) && seed >= 0))
    throw new OptionError(
      "OPTION",
      outOfRange({ op, name: "dropout.seed", rule: "an integer ≥ 0", got: seed }),
    );
  if (!training || rate === 0) return undefined;
  return { rate, seed, threshold: Math.round(rate * 2 ** 32), keepScale: 1 / (1 - rate) };
}
