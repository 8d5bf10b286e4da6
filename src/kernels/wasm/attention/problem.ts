/**
 * `Problem` of assembly/attention/problem.ts: the same fields in the same order, four bytes each. "f" is a float32,
 * "i" an integer or an address.
 */
export const PROBLEM_FIELDS = {
  q: "i",
  k: "i",
  v: "i",
  out: "i",
  lse: "i",
  qRow: "i",
  kRow: "i",
  vRow: "i",
  outRow: "i",
  T: "i",
  S: "i",
  D: "i",
  Dv: "i",
  scale: "f",
  softCap: "f",
  low: "i",
  high: "i",
  row0: "i",
  bias: "i",
  biasRow: "i",
  biasKey: "i",
  allow: "i",
  allowRow: "i",
  allowKey: "i",
  sink: "f",
  threshold: "i",
  keepScale: "f",
  seedLow: "i",
  seedHigh: "i",
  b: "i",
  h: "i",
  keyPanels: "i",
  valueStrips: "i",
  rowFlags: "i",
  keyNorm: "f",
  valueMax: "f",
  nonFiniteRows: "i",
  empty: "i",
  dout: "i",
  delta: "i",
  dq: "i",
  dk: "i",
  dv: "i",
  dkSum: "i",
  dvSum: "i",
  valuePanels: "i",
  keyStrips: "i",
  queryPanels: "i",
  queryStrips: "i",
  doutPanels: "i",
  doutStrips: "i",
  doutFlags: "i",
  nonFiniteDoutRows: "i",
  weights: "i",
  entropy: "i",
  distance: "i",
  topWeights: "i",
  topKeys: "i",
  tileSums: "i",
  columnSums: "i",
  topCount: "i",
  tileColumns: "i",
  tileStarts: "i",
  offset: "i",
  lseLow: "i",
  blockMax: "i",
  blockSide: "i",
  blockColumns: "i",
  functions: "i",
  modification: "i",
  changes: "i",
} as const;

export type ProblemField = keyof typeof PROBLEM_FIELDS;
export type ProblemFields = Partial<Record<ProblemField, number>>;

const NAMES = Object.keys(PROBLEM_FIELDS) as ProblemField[];
export const PROBLEM_BYTES = 4 * NAMES.length;
/** The place of each field among the words of a problem. */
export const PLACE = Object.fromEntries(NAMES.map((name, place) => [name, place])) as Record<
  ProblemField,
  number
>;

export interface ProblemWords {
  readonly buffer: ArrayBufferLike;
  readonly integers: Int32Array;
  readonly floats: Float32Array;
}

/** Making views costs more than writing; a memory that is gone takes its views along. */
const views = new WeakMap<WebAssembly.Memory, ProblemWords>();

/** A memory as words, valid until it grows. Field `name` of the problem at `address` is word address / 4 + PLACE[name]. */
export function problemWords(memory: WebAssembly.Memory): ProblemWords {
  const { buffer } = memory;
  let words = views.get(memory);
  if (words?.buffer !== buffer) {
    words = { buffer, integers: new Int32Array(buffer), floats: new Float32Array(buffer) };
    views.set(memory, words);
  }
  return words;
}

/** Writes fields of the problem at `address`; the others keep their values. */
export function writeProblem(memory: WebAssembly.Memory, address: number, fields: ProblemFields): void {
  const { integers, floats } = problemWords(memory);
  for (const name in fields) {
    const field = name as ProblemField;
    const view = PROBLEM_FIELDS[field] === "f" ? floats : integers;
    view[(address >>> 2) + PLACE[field]] = fields[field]!;
  }
}

export function clearProblem(memory: WebAssembly.Memory, address: number): void {
  problemWords(memory).integers.fill(0, address >>> 2, (address + PROBLEM_BYTES) >>> 2);
}
