import type { Tensor } from "@tensorflow/tfjs-core";
import type { AttentionProgram, Broadcast } from "../core/program.ts";
import {
  type LayerInput,
  type MaskSpec,
  type RowSums,
  type TraceTensor,
  traceTensor,
} from "../inspect/index.ts";
import type { AttentionCall } from "../ops/attention/observe.ts";
import type { GateCall } from "../ops/observe.ts";
import { checkExample, headsOf, numbers, oneOf } from "./example.ts";

/** A layer of a trace, but for the names of its axes. */
export interface RecordedCall extends Omit<LayerInput, "alignQ" | "alignK" | "name"> {
  readonly op: string;
  readonly T: number;
  readonly S: number;
}

type Program = AttentionProgram<Tensor>;

/** One example of a call, in ordinary memory. */
export function recordCall(op: string, call: AttentionCall, example: number): RecordedCall {
  const { program, scored, lse } = call;
  const { B, H, Hkv, T, S } = program.shapes;
  checkExample(op, example, program.op, B);
  const facts = { op: program.op, T, S, ...maskOf(program, example) };
  // A row that sees nothing has the mean of its keys there, and functions of scores are code: q, k and lse do not tell.
  if (!scored || !lse || program.onEmptyRow === "uniform" || program.modification) {
    const weights = numbers(oneOf(call.weights(), example));
    return { ...facts, attn: traceTensor([H, T, S], weights), rowSums: sumsOf(weights, S) };
  }
  const { layout, q, k } = scored;
  const D = q.shape.at(-1)!;
  const heads = (x: Tensor) => numbers(headsOf(x, layout, example));
  const { scale, softCap, sink } = program;
  return {
    ...facts,
    scale,
    rowSums: sink === undefined ? "one" : "atMostOne",
    ...(softCap !== undefined && { softCap }),
    q: traceTensor([H, T, D], heads(q)),
    k: traceTensor([Hkv, S, D], heads(k)),
    lse: traceTensor([H, T], numbers(oneOf(lse(), example))),
  };
}

/** One example of a gate as a trace has it: [C], [T, C] or [height, width]. */
export function recordGate(op: string, { op: made, gate, hasBatch }: GateCall, example: number): TraceTensor {
  const B = gate.shape[0]!;
  // One gate for the whole batch has a first axis of 1.
  const b = B === 1 ? 0 : example;
  if (hasBatch) checkExample(op, b, made, B);
  const one = hasBatch ? oneOf(gate, b) : gate;
  const axes = one.shape.filter((length) => length !== 1);
  const C = axes.at(-1) ?? 1;
  const shape = axes.length <= 2 ? (axes.length === 0 ? [1] : axes) : [one.size / C, C];
  return traceTensor(shape, numbers(one));
}

/** What the rows of weights add up to, by looking at them: not every normaliser is a softmax. */
function sumsOf(weights: Float32Array, S: number): RowSums {
  let found: RowSums = "one";
  for (let row = 0; row < weights.length; row += S) {
    let sum = 0;
    let least = 0;
    for (let s = row; s < row + S; s++) {
      sum += weights[s]!;
      least = Math.min(least, weights[s]!);
    }
    if (least < 0 || sum > 1.001) return "free";
    if (sum !== 0 && sum < 0.999) found = "atMostOne";
  }
  return found;
}

/** The mask and the bias of an example: what can be said as a band or as lengths costs no bytes. */
function maskOf(program: Program, b: number): Pick<LayerInput, "maskSpec" | "mask" | "bias"> {
  const { shapes, offset, left, right, queryLengths, keyLengths, allow, bias } = program;
  const { H, T, S } = shapes;
  const isBanded = left !== Infinity || right !== Infinity;
  const at = typeof offset === "number" ? offset : offset[b]!;
  const spec: MaskSpec = {
    ...(isBanded && at !== 0 && { offset: at }),
    ...(left !== Infinity && { left }),
    ...(right !== Infinity && { right }),
    ...(queryLengths && { queryLength: queryLengths[b]! }),
    ...(keyLengths && { keyLength: keyLengths[b]! }),
  };
  const added = bias && read(bias, b);
  const allowed = allow && read(allow, b);
  // Keys hidden from all queries alike are S numbers as a bias of −∞, and T·S flags as a mask.
  const asBias = allowed?.isSameForQueries && (!added || added.isSameForQueries);
  const heads = Math.max(added?.heads ?? 1, asBias ? allowed.heads : 1);
  const rows = added && !added.isSameForQueries ? T : 1;
  const flagHeads = allowed && allowed.heads > 1 ? H : 1;
  return {
    ...(Object.keys(spec).length > 0 && { maskSpec: spec }),
    ...((added || asBias) && {
      bias: traceTensor(
        [heads, rows, S],
        fill(heads, rows, S, (h, t, s) =>
          asBias && !allowed.at(h, t, s) ? -Infinity : (added?.at(h, t, s) ?? 0),
        ),
      ),
    }),
    ...(allowed &&
      !asBias && {
        mask: traceTensor(
          flagHeads > 1 ? [H, T, S] : [T, S],
          fill(flagHeads, T, S, (h, t, s) => Number(allowed.at(h, t, s))),
          "bool",
        ),
      }),
  };
}

/** A broadcast array of a program, read at an example. */
function read({ array, strides }: Broadcast<Tensor>, b: number) {
  const data = array.dataSync();
  const [example, head, query, key] = strides;
  return {
    heads: head > 0 ? array.shape[1]! : 1,
    isSameForQueries: query === 0,
    at: (h: number, t: number, s: number) => data[b * example + h * head + t * query + s * key]!,
  };
}

function fill(
  H: number,
  T: number,
  S: number,
  at: (h: number, t: number, s: number) => number,
): Float32Array {
  const out = new Float32Array(H * T * S);
  for (let h = 0, e = 0; h < H; h++)
    for (let t = 0; t < T; t++) for (let s = 0; s < S; s++, e++) out[e] = at(h, t, s);
  return out;
}
