// One head's attention as the kernels see it. The caller writes these fields at an address of its choice, in this
// order, four bytes each (src/kernels/wasm/attention/problem.ts has the same list), and passes the address.

@unmanaged
export class Problem {
  // Inputs and results, float32: q [T, D], k [S, D], v [S, Dv], out [T, Dv], lse [T]. A row's numbers are neighbours;
  // the floats from one row to the next are qRow, kRow, vRow and outRow, which dq, dk, dv and dout share.
  q: usize; k: usize; v: usize; out: usize; lse: usize;
  qRow: i32; kRow: i32; vRow: i32; outRow: i32;
  // Lengths that padding has been cut from already: a kernel never sees a padded query or key.
  T: i32; S: i32; D: i32; Dv: i32;
  scale: f32;
  softCap: f32; // 0: none
  // Query i sees keys j with low ≤ j − i ≤ high; both within ±2²⁹.
  low: i32; high: i32;
  // bias[i − row0, j] and allow[i − row0, j] by element strides, the second of them 0 or 1; address 0: none.
  row0: i32;
  bias: usize; biasRow: i32; biasKey: i32;
  allow: usize; allowRow: i32; allowKey: i32;
  sink: f32; // −Infinity: none
  // Dropout: a weight whose 32 bits are below `threshold` goes; 0: none. (b, h) places it in the stream.
  threshold: u32; keepScale: f32; seedLow: i32; seedHigh: i32; b: i32; h: i32;
  // Packed operands.
  keyPanels: usize; valueStrips: usize; rowFlags: usize;
  // Written by attentionKeys: the longest key, the largest |v|, and how many rows of v are not finite.
  keyNorm: f32; valueMax: f32; nonFiniteRows: i32;
  // One byte a query, set where it sees no key; 0: nobody asks.
  empty: usize;
  // Backward only.
  dout: usize; delta: usize; dq: usize; dk: usize; dv: usize;
  // Sums over heads and queries, in rows of whole tiles of 8 columns.
  dkSum: usize; dvSum: usize;
  valuePanels: usize; keyStrips: usize; queryPanels: usize; queryStrips: usize; doutPanels: usize; doutStrips: usize;
  doutFlags: usize; nonFiniteDoutRows: i32;
  // The weights of queries row0 and on, [·, S].
  weights: usize;
  // Statistics of the weights of those queries, each 0 where nobody asks: float64 sums `entropy` and `distance` [·],
  // the `topCount` largest weights and their keys [·, topCount], float64 sums of each tile's columns [·, tileColumns],
  // float32 sums of each key's column over 48 queries [⌈·/48⌉, S up to a multiple of 24].
  entropy: usize; distance: usize; topWeights: usize; topKeys: usize; tileSums: usize; columnSums: usize;
  topCount: i32; tileColumns: i32;
  // Where each tile's columns begin, and where the last one's end.
  tileStarts: usize;
  // Query i stands at key position i + offset.
  offset: i32;
  // [T], what rounding took from lse: with scores in the thousands that is all of the weights' digits but three.
  lseLow: usize;
  // The largest weight of each query in each run of `blockSide` keys, float32 [·, blockColumns]; 0: nobody asks.
  blockMax: usize; blockSide: i32; blockColumns: i32;
  // Functions of scoreMod and maskMod: the first of their places in the table (see modify.ts) and the block that they
  // are given; 0: none. `changes` is 1 where a scoreMod is among them.
  functions: u32; modification: usize; changes: i32;
}
