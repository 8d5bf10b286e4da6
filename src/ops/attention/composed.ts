/**
 * Attention of TensorFlow.js ops: score → mask → normalise → aggregate, everything [B, H, T, S]. Mechanisms of one
 * head add an axis. NaN in hidden places leaks nowhere.
 */
import {
  broadcastTo,
  clone,
  concat,
  customGrad,
  div,
  equal,
  expandDims,
  fill,
  type GradSaveFunc,
  matMul,
  max,
  mul,
  reshape,
  slice,
  add as sum,
  type Tensor,
  tanh,
  tensor,
  tidy,
  where,
  zeros,
} from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { emptyRow } from "../../core/faults.ts";
import type { AttentionProgram } from "../../core/program.ts";
import { dropoutRow } from "../../core/program-rows.ts";
import { addConstant, cleaned, isKnownFinite, ofNothing, seenMask, strayValues, withValue } from "./guard.ts";
import { allowTensor, maskScores } from "./mask.ts";
import { modifyScores } from "./modify.ts";
import { logSumExp, softmax } from "./softmax.ts";

type Program = AttentionProgram<Tensor>;

/** Scores to weights: −∞ must become 0, and a row of −∞ alone zeros. */
export type Normalize = (scores: Tensor) => Tensor;

export interface ScoreParts {
  /** The scores [B, H, T, S] of inputs that went through `clean`, which is the identity or `cleaned`. */
  readonly score: (clean: <X extends Tensor>(x: X) => X) => Tensor;
  /** What `score` reads, as the caller has it: whether a tensor is finite is remembered by the tensor. */
  readonly inputs: readonly Tensor[];
  /** @default softmax */
  readonly normalize?: Normalize | undefined;
  /** Promise that inputs and values are finite even in hidden places. @default false */
  readonly finite?: boolean | undefined;
}

export interface ComposedParts extends ScoreParts {
  /** [B, Hkv, S, Dv] */
  readonly values: Tensor;
  /** The caller's tensor that `values` is a copy of. @default itself */
  readonly original?: Tensor | undefined;
}

export interface Weighed {
  /** After soft-cap and bias. */
  readonly scores: Tensor;
  /** −∞ where hidden. */
  readonly masked: Tensor;
  /** Before dropout, without the sink. */
  readonly weights: Tensor;
  /** What the values are multiplied by. */
  readonly dropped: Tensor;
  readonly lse: () => Tensor;
  /** Where a key may be seen at all; undefined where nothing is hidden or nothing hidden can do harm. */
  readonly seen: Tensor | undefined;
}

/** score → mask → normalise → aggregate: output [B, H, T, Dv] and the stages before it. */
export function composed(program: Program, parts: ComposedParts): Weighed & { output: Tensor } {
  const weighed = weigh(program, parts);
  const { values, original } = parts;
  return { ...weighed, output: aggregate(program, weighed.dropped, values, weighed.seen, original) };
}

/** scale · q·k: q [B, H, T, D], k [B, Hkv, S, D] → [B, H, T, S]. */
export function dotScores({ shapes, scale }: Program, q: Tensor, k: Tensor): Tensor {
  const { B, H, T, S } = shapes;
  if (B * T * S === 0) return ofNothing([q, k], [B, H, T, S]);
  return reshape(matMul(sharedRows(mul(q, scale), shapes), k, false, true), [B, H, T, S]);
}

/** The query heads that share a key head, below each other as rows of one product. */
export function sharedRows(x: Tensor, { B, H, Hkv, T }: Program["shapes"]): Tensor {
  return reshape(x, [B, Hkv, (H / Hkv) * T, x.shape[3]!]);
}

/** score → mask → normalise. */
export function weigh(program: Program, parts: ScoreParts): Weighed {
  const { B, T, S } = program.shapes;
  if (B * T * S === 0) return weighNothing(program, parts);
  const { score, inputs, normalize = softmax, finite } = parts;
  const bias = program.bias?.array;
  const allow = allowTensor(program);
  const visible = seenMask(allow, bias);
  const seen = finite ? undefined : visible;
  const scores = scoresOf(program, score, seen !== undefined && !inputs.every(isKnownFinite));
  // Cleaned inputs give finite scores where a bias of −∞ hides what was not.
  const hides = scores.isCleaned ? seen : allow;
  const masked = hides ? maskScores(scores.value, hides) : scores.value;
  const competing = withSink(program, masked);
  const shares = normalize(competing);
  const own = program.sink === undefined ? shares : slice(shares, 0, masked.shape);
  const filled = allow || bias ? fillEmptyRows(program, own, masked) : own;
  const weights = visible ? gradientWhere(visible, filled) : filled;
  const dropped = program.dropout ? mul(weights, dropoutTensor(program)) : weights;
  return { scores: scores.value, masked, weights, dropped, lse: () => logSumExp(competing), seen };
}

/** The stages without queries or without keys: no op of TensorFlow.js runs on a tensor of size 0, see `ofNothing`. */
function weighNothing(program: Program, { score }: ScoreParts): Weighed {
  const { bias, sink, shapes } = program;
  const { B, H, T, S } = shapes;
  const raw = score((x) => x);
  const scores = bias ? ofNothing([raw, bias.array], [B, H, T, S]) : raw;
  if (S === 0) checkEmptyRows(program);
  const weights = typeof sink === "object" ? ofNothing([scores, sink], [B, H, T, S]) : scores;
  const lse = () => {
    const alone = typeof sink === "number" ? sink : Number.NEGATIVE_INFINITY;
    if (typeof sink !== "object" || B * T === 0) return ofNothing([weights], [B, H, T], alone);
    return sum(ofNothing([weights], [B, H, T]), reshape(sink, [sink.size, 1]));
  };
  return { scores, masked: scores, weights, dropped: weights, lse, seen: undefined };
}

/** Throws where queries have no keys at all and that was to be an error. */
function checkEmptyRows({ op, onEmptyRow, queryLengths, shapes }: Program): void {
  const { B, H, T } = shapes;
  if (onEmptyRow !== "error" || H === 0) return;
  for (let b = 0; b < B; b++) {
    if (Math.min(T, queryLengths?.[b] ?? T) > 0)
      throw new OptionError("EMPTY_ROW", emptyRow({ op, b, h: 0, i: 0 }));
  }
}

/** x, whose gradient is 0 where it is not visible: a hidden value may be so large that the weight's own overflows. */
function gradientWhere(visible: Tensor, x: Tensor): Tensor {
  const select = customGrad((input, save) => {
    (save as GradSaveFunc)([visible]);
    return {
      value: clone(input as Tensor),
      gradFunc: (dy: Tensor, [saved]: Tensor[]) => where(saved!, dy, 0),
    };
  });
  return select(x);
}

/** Soft-cap, bias and `scoreMod` on the scores, whose gradients are those of cleaned inputs where these may hold NaN. */
function scoresOf(program: Program, score: ScoreParts["score"], isCleaned: boolean) {
  const { softCap, bias } = program;
  const transform = (x: Tensor) => {
    const capped = softCap === undefined ? x : mul(tanh(div(x, softCap)), softCap);
    return modifyScores(program, bias ? sum(capped, bias.array) : capped);
  };
  const raw = transform(score((x) => x));
  return { isCleaned, value: isCleaned ? withValue(transform(score(cleaned)), raw) : raw };
}

/**
 * Σ_s weights_ts v_s: weights [B, H, T, S], v [B, Hkv, S, Dv] → [B, H, T, Dv]; NaN among values that are not `seen`
 * leaks nowhere.
 */
export function aggregate(
  { shapes }: Program,
  weights: Tensor,
  v: Tensor,
  seen: Tensor | undefined,
  original = v,
): Tensor {
  const { B, H, T, S, Dv } = shapes;
  if (B * T * S === 0) return ofNothing([weights, v], [B, H, T, Dv]);
  const rows = sharedRows(weights, shapes);
  if (!seen || isKnownFinite(original)) return reshape(matMul(rows, v), [B, H, T, Dv]);
  const places = sharedRows(broadcastTo(seen, [B, H, T, S]), shapes);
  return reshape(addConstant(matMul(rows, cleaned(v)), strayValues(rows, places, v)), [B, H, T, Dv]);
}

/** The sink as one more key, which takes its share and has no value. */
function withSink({ sink, shapes }: Program, masked: Tensor): Tensor {
  if (sink === undefined) return masked;
  const column = [...masked.shape.slice(0, -1), 1];
  const sinks =
    typeof sink === "number" ? fill(column, sink) : sum(zeros(column), reshape(sink, [shapes.H, 1, 1]));
  return concat([masked, sinks], -1);
}

/** Rows without a visible key, as `onEmptyRow` wants them. "zero" is what the softmax gives already. */
function fillEmptyRows(program: Program, weights: Tensor, masked: Tensor): Tensor {
  const { op, onEmptyRow, queryLengths, keyLengths, shapes } = program;
  if (onEmptyRow === "zero") return weights;
  const { B, H, T, S } = shapes;
  const hidden = tidy(() => equal(max(masked, -1), Number.NEGATIVE_INFINITY).dataSync());
  const filled = new Float32Array(B * H * T * S);
  hidden.forEach((isEmpty, row) => {
    const b = Math.floor(row / (H * T));
    const i = row % T;
    if (!isEmpty || (queryLengths && i >= queryLengths[b]!)) return;
    const h = Math.floor(row / T) % H;
    if (onEmptyRow === "error") throw new OptionError("EMPTY_ROW", emptyRow({ op, b, h, i }));
    const n = keyLengths ? keyLengths[b]! : S;
    filled.fill(1 / n, row * S, row * S + n);
  });
  return addConstant(weights, tensor(filled, weights.shape));
}

/**
 * Dropout's factors [B, H, T, S], 0 or 1/(1 − rate), from the same numbers on every path. In a chunk query 0 and key 0 are
 * number `firstQuery` and `firstKey` of the call.
 */
export function dropoutTensor({ dropout, shapes }: Program, firstQuery = 0, firstKey = 0): Tensor {
  const { B, H, T, S } = shapes;
  const factors = new Float32Array(B * H * T * S);
  for (let row = 0; row < B * H * T; row++) {
    const [b, h, i] = [Math.floor(row / (H * T)), Math.floor(row / T) % H, firstQuery + (row % T)];
    dropoutRow(dropout!, b, h, i, S, factors, row * S, firstKey);
  }
  return tensor(factors, [B, H, T, S]);
}

/** `normalize` of one head's scores [B, T, S], for scores with an axis of heads. */
export function overOneHead(normalize: Normalize): Normalize {
  return (scores) => {
    const [B, , T, S] = scores.shape as [number, number, number, number];
    return expandDims(normalize(reshape(scores, [B, T, S])), 1);
  };
}

/** x without its axis of one head. */
export function withoutHead<X extends Tensor>(x: Tensor): X {
  return reshape(x, [x.shape[0]!, ...x.shape.slice(2)]) as X;
}
