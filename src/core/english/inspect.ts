/** What is wrong with a file. */
export interface Fault {
  readonly op: string;
  /** What is wrong: a tensor, a row of it, a field of the metadata. */
  readonly place: string;
  readonly rule: string;
  readonly got: string;
  readonly remedy: string;
}

const sentence = (d: Fault) => `${d.op}: ${d.place} must ${d.rule}, got ${d.got}; ${d.remedy}`;

/** Messages of traces, importers and measures. */
export const inspectMessages = {
  TRACE: sentence,
  IMPORT: sentence,
  WEIGHTS_DROPPED: (d: { op: string; layer: number }) =>
    `${d.op}: weights must be those before dropout, got weights after dropout in layer ${d.layer}; capture the model ` +
    "with training: false",
  WEIGHTS_NEGATIVE: (d: { op: string; head: number; query: number; got: number }) =>
    `${d.op}: weights must not be negative, got ${d.got} in head ${d.head}, query ${d.query}; measure the weights after ` +
    "the softmax, or the magnitudes",
  LAYERS_DIFFER: (d: { op: string; layer: number; T: number; S: number; got: string }) =>
    `${d.op}: every layer must be self-attention over the same positions, ${d.T} × ${d.S} here, got ${d.got} in layer ` +
    `${d.layer}; pass the layers of one stack`,
};
