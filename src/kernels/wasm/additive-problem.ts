import type { ArrayInfo } from "../../core/notation.ts";
import type { AttentionProgram } from "../../core/program.ts";
import { clampPosition, dropoutFields } from "./fields.ts";
import { Struct } from "./struct.ts";

/** `Additive` of assembly/additive/problem.ts: what its caller writes. */
export const ADDITIVE = new Struct({
  ...{ query: "i", key: "i", v: "i", value: "i", out: "i", lse: "i", weights: "i" },
  ...{ B: "i", T: "i", S: "i", A: "i", Dv: "i", softCap: "f", low: "i", high: "i" },
  ...{ queryLengths: "i", keyLengths: "i", offsets: "i" },
  ...{ bias: "i", biasB: "i", biasT: "i", biasS: "i", allow: "i", allowB: "i", allowT: "i", allowS: "i" },
  ...{ sink: "f", threshold: "i", keepScale: "f", seedLow: "i", seedHigh: "i", onEmpty: "i", scratch: "i" },
  ...{ dout: "i", dlse: "i", dweights: "i" },
  ...{ dquery: "i", dkey: "i", dv: "i", dvalue: "i", dbias: "i", dsink: "i" },
} as const);

export type AdditiveField = keyof typeof ADDITIVE.fields;
/** Addresses of arrays by name; one that is left out is not there. */
export type AdditiveArrays = Partial<Record<AdditiveField, number>>;

const ON_EMPTY = { zero: 0, error: 1, uniform: 2 } as const;

/** A program of one head as the fields of a call, but for addresses; A hidden units. */
export function additiveFields(program: AttentionProgram<ArrayInfo>, A: number): AdditiveArrays {
  const { shapes, softCap = 0, left, right, bias, allow, sink, onEmptyRow } = program;
  const { B, T, S, Dv } = shapes;
  // Where every example has its own, they come as an array.
  const offset = typeof program.offset === "number" ? program.offset : 0;
  const [biasB = 0, , biasT = 0, biasS = 0] = bias?.strides ?? [];
  const [allowB = 0, , allowT = 0, allowS = 0] = allow?.strides ?? [];
  return {
    ...{ B, T, S, A, Dv, softCap, low: clampPosition(offset - left), high: clampPosition(offset + right) },
    ...{ biasB, biasT, biasS, allowB, allowT, allowS },
    ...{ sink: typeof sink === "number" ? sink : -Infinity, onEmpty: ON_EMPTY[onEmptyRow] },
    ...dropoutFields(program),
  };
}
