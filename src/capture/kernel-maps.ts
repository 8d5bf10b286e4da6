import type { HostArray } from "../core/notation.ts";
import { compileProgram } from "../core/program.ts";
import { maskedCells } from "../inspect/cells.ts";
import {
  type Cells,
  type MapComputer,
  type MaskSpec,
  NOT_FINITE,
  type TraceLayer,
  VALUE,
  visibleKeys,
} from "../inspect/index.ts";
import { probe } from "../kernels/probe.ts";

/** Below so many weights plain loops are done before the kernels have begun, and run in float64. */
const LEAST = 2 ** 18;

/**
 * Lets the kernels pool the maps of a layer that is kept as q, k and lse: a picture of a head of 16,384 tokens in seconds,
 * without a T × S buffer.
 *
 *     cell = the largest e^(score − lse) of its block, by `probe`'s blockMax
 *
 * Scores are float32 there, which moves a weight by no more than a few 2⁻²⁴ of Σ|q_d·k_d|/√D. Layers with a mask of T × S
 * flags or a bias of T × S numbers, small maps and single rows are left to plain loops (undefined). `init` of
 * `heed/kernels` must have run.
 *
 * @example
 * await init();
 * const [q, k, lse] = [traceTensor([1, 1, 1], [1]), traceTensor([1, 2, 1], [0, 0]), traceTensor([1, 1], [Math.log(2)])];
 * const trace = createTrace({ tokens: { tgt: ["a"], src: ["b", "c"] }, layers: [{ alignQ: "tgt", alignK: "src", q, k, lse }] });
 * layerMap(trace.layers[0], "qk", kernelMaps(trace.layers[0])).pooled(0, 2).values; // Float32Array [0.5]
 */
export function kernelMaps(layer: TraceLayer): MapComputer | undefined {
  const { q, k, lse, H, Hkv, T, S, mask, bias, maskSpec = {} } = layer;
  if (!(q && k && lse) || mask || (bias && bias.shape[1] !== 1) || T * S < LEAST) return undefined;
  const D = layer.D!;
  const { offset = 0, left, right, queryLength, keyLength } = maskSpec;
  const options = {
    scale: layer.scale ?? 1 / Math.sqrt(D),
    ...(layer.softCap !== undefined && { softCap: layer.softCap }),
    ...((left !== undefined || right !== undefined) && {
      queryOffset: offset,
      window: { ...(left !== undefined && { left }), ...(right !== undefined && { right }) },
    }),
    ...(queryLength !== undefined && { queryLengths: [Math.min(T, queryLength)] }),
    ...(keyLength !== undefined && { keyLengths: [Math.min(S, keyLength)] }),
  };
  const part = (tensor: NonNullable<typeof q>, n: number, length: number) =>
    tensor.slice(n * length, (n + 1) * length);
  return {
    pooled(head, factor) {
      const added = bias && part(bias, bias.shape[0] === 1 ? 0 : head, S);
      const program = compileProgram<HostArray>(
        "kernelMaps",
        { B: 1, H: 1, Hkv: 1, T, S, D, Dv: D },
        { ...options, ...(added && { bias: { dtype: "float32", shape: [1, 1, 1, S], values: added } }) },
      );
      const keys = part(k, Math.floor((head * Hkv) / H), S * D);
      const queries = part(q, head, T * D);
      const saved = {
        program,
        layout: "bhtd" as const,
        q: queries,
        k: keys,
        v: keys,
        output: queries,
        lse: part(lse, head, T),
        lseLow: new Float32Array(T),
        emptyRows: [],
      };
      const { weights } = probe(saved, { blockMax: factor }).blockMax;
      return cellsOf(weights, { T, S, factor, maskSpec, hides: (s) => added?.[s] === -Infinity });
    },
  };
}

interface Blocks {
  readonly T: number;
  readonly S: number;
  readonly factor: number;
  readonly maskSpec: MaskSpec;
  readonly hides: (key: number) => boolean;
}

/** The kernels' maxima as cells: a block is masked where none of its queries sees one of its keys. */
function cellsOf(weights: Float32Array, { T, S, factor, maskSpec, hides }: Blocks): Cells {
  const cells = maskedCells(Math.ceil(T / factor), Math.ceil(S / factor));
  /** How many keys before each one can be seen at all. */
  const seen = new Uint32Array(S + 1);
  for (let s = 0; s < S; s++) seen[s + 1] = seen[s]! + Number(!hides(s));
  for (let t = 0; t < T; t++) {
    const [start, end] = visibleKeys(maskSpec, t, S);
    const row = Math.floor(t / factor) * cells.columns;
    for (let s = start; s < end; ) {
      const stop = Math.min(end, (Math.floor(s / factor) + 1) * factor);
      if (seen[stop]! > seen[s]!) cells.kinds[row + Math.floor(s / factor)] = VALUE;
      s = stop;
    }
  }
  for (let cell = 0; cell < weights.length; cell++) {
    if (cells.kinds[cell] !== VALUE) continue;
    if (Number.isFinite(weights[cell])) cells.values[cell] = weights[cell]!;
    else cells.kinds[cell] = NOT_FINITE;
  }
  return cells;
}
