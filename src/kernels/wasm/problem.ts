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
  wild: "i",
  scratch: "i",
  keyNorm: "f",
  valueMax: "f",
  wildRows: "i",
  empty: "i",
  dout: "i",
  delta: "i",
  dq: "i",
  dk: "i",
  dv: "i",
  dbias: "i",
  valuePanels: "i",
  keyStrips: "i",
  queryPanels: "i",
  queryStrips: "i",
  doutPanels: "i",
  doutStrips: "i",
  wildDout: "i",
  wildDoutRows: "i",
  weights: "i",
} as const;

export type ProblemField = keyof typeof PROBLEM_FIELDS;

const PLACES = new Map(Object.entries(PROBLEM_FIELDS).map(([name, kind], index) => [name, { kind, index }]));
export const PROBLEM_BYTES = 4 * PLACES.size;

/** Writes fields of the problem at `address`; the others keep their values. */
export function writeProblem(
  memory: WebAssembly.Memory,
  address: number,
  fields: Partial<Record<ProblemField, number>>,
): void {
  const view = new DataView(memory.buffer, address, PROBLEM_BYTES);
  for (const [name, value] of Object.entries(fields)) {
    const { kind, index } = PLACES.get(name)!;
    if (kind === "f") view.setFloat32(4 * index, value, true);
    else view.setInt32(4 * index, value, true);
  }
}
