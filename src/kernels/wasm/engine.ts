/**
 * Attention programs on the WebAssembly kernels, one head at a time, on a memory of our own. Per example: padding is
 * cut off before anything is copied; per group of heads: keys and values are packed once; per head: queries come in,
 * results go out. `bias` and `allow` come in stripes of rows, so nothing here grows with T · S.
 */
import { OptionError } from "../../core/errors.ts";
import { size } from "../../core/notation.ts";
import type { AttentionProgram } from "../../core/program.ts";
import { sinkOf } from "../../core/program-rows.ts";
import { words } from "../../core/random.ts";
import { Arena } from "./arena.ts";
import { instantiateKernels, type KernelBuild, type KernelExports } from "./load.ts";
import { PROBLEM_BYTES, type ProblemField, writeProblem } from "./problem.ts";
import { type HostProgram, STRIPE_ALIGNMENT, Stripes } from "./stripes.ts";
import { addUniformGradients, fillUniformRows, fillUniformWeights } from "./uniform.ts";

export interface FloatInputs {
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
}

export interface ForwardResult {
  readonly output: Float32Array;
  readonly lse: Float32Array;
  /** The rows (b · H + h) · T + i that see no key; only where the program gives them weights. */
  readonly emptyRows: readonly number[];
}

export interface FloatGradients {
  dq: Float32Array;
  dk: Float32Array;
  dv: Float32Array;
  dbias: Float32Array | undefined;
  dsink: Float32Array | undefined;
}

/** Where no band hides anything: beyond every length, and far from overflow when positions are added. */
const FAR = 2 ** 29;
const WEIGHT_STRIPE_FLOATS = 2 ** 18;

const roundUp = (n: number, to: number) => Math.ceil(n / to) * to;
const clamp = (n: number) => Math.max(-FAR, Math.min(FAR, n));

/** One head: b, h, the key head g of the example, and the lengths that padding leaves. */
interface Head {
  b: number;
  h: number;
  T: number;
  S: number;
  /** Index of the head's first row among all rows of queries. */
  row: number;
}

/** The lengths of example b, and its groups of heads. */
function lengthsOf({ shapes, queryLengths, keyLengths }: AttentionProgram, b: number) {
  return { T: queryLengths?.[b] ?? shapes.T, S: keyLengths?.[b] ?? shapes.S };
}

export class AttentionEngine {
  readonly build: KernelBuild;
  readonly memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
  readonly #kernels: KernelExports;
  readonly #arena = new Arena(this.memory);
  #problem = 0;

  constructor(build: KernelBuild) {
    this.build = build;
    this.#kernels = instantiateKernels(this.memory, build);
  }

  /**
   * The output and log-sum-exp of a program.
   *
   * @throws OptionError EMPTY_ROW · MemoryError KERNEL_MEMORY
   */
  forward(program: HostProgram, { q, k, v }: FloatInputs): ForwardResult {
    const { B, H, T, D, Dv } = program.shapes;
    const at = this.#layout(program.op, program, (arena, { T, S, D, Dv, wideDv }) => ({
      q: arena.floats(T * D),
      k: arena.floats(S * D),
      v: arena.floats(S * Dv),
      out: arena.floats(T * Dv),
      lse: arena.floats(T),
      keyPanels: arena.floats(roundUp(S, 24) * D),
      valueStrips: arena.floats(S * wideDv),
      wild: arena.take(S),
      empty: program.onEmptyRow === "zero" ? 0 : arena.take(T),
      scratch: arena.take(this.#kernels.attentionScratchBytes!(D, Dv)),
    }));
    const output = new Float32Array(B * H * T * Dv);
    const lse = new Float32Array(B * H * T);
    const emptyRows: number[] = [];
    this.#eachGroup(
      program,
      at,
      { k, v },
      () => this.#kernels.attentionKeys!(this.#problem),
      (head, stripes) => {
        this.#copy(at.q, q, head.row * D, head.T * D);
        this.#eachStripe(stripes, head, (i0, i1) => this.#kernels.attentionForward!(this.#problem, i0, i1));
        output.set(this.#arena.f32(at.out, head.T * Dv), head.row * Dv);
        lse.set(this.#arena.f32(at.lse, head.T), head.row);
        // A padded query sees nothing but the sink.
        lse.fill(sinkOf(program, head.h), head.row + head.T, head.row + T);
        if (at.empty) this.#collectEmptyRows(program, head, at.empty, emptyRows);
      },
    );
    fillUniformRows(program, v, output, emptyRows);
    return { output, lse, emptyRows };
  }

  /** The weights, e^(score − lse), before dropout and without the sink's share: [B, H, T, S]. */
  weights(program: HostProgram, { q, k }: Omit<FloatInputs, "v">, saved: ForwardResult): Float32Array {
    const { B, H, T, S, D } = program.shapes;
    const rows = Math.min(T, roundUp(WEIGHT_STRIPE_FLOATS / Math.max(S, 1), STRIPE_ALIGNMENT));
    const at = this.#layout(program.op, program, (arena, { T, S, D }) => ({
      q: arena.floats(T * D),
      k: arena.floats(S * D),
      lse: arena.floats(T),
      keyPanels: arena.floats(roundUp(S, 24) * D),
      scratch: arena.take(this.#kernels.attentionWeightsScratchBytes!(D)),
      weights: arena.floats(rows * S),
    }));
    const weights = new Float32Array(B * H * T * S);
    this.#eachGroup(
      program,
      at,
      { k },
      () => this.#kernels.attentionWeightKeys!(this.#problem),
      (head, stripes) => {
        this.#copy(at.q, q, head.row * D, head.T * D);
        this.#copy(at.lse, saved.lse, head.row, head.T);
        this.#eachStripe(
          stripes,
          head,
          (i0, i1) => {
            this.#kernels.attentionWeights!(this.#problem, i0, i1);
            for (let i = i0; i < i1; i++) {
              const row = this.#arena.f32(at.weights + 4 * (i - i0) * head.S, head.S);
              weights.set(row, (head.row + i) * S);
            }
          },
          rows,
        );
      },
    );
    fillUniformWeights(program, weights, saved.emptyRows);
    return weights;
  }

  /** The gradients of Σ dout·output + Σ dlse·lse. */
  backward(
    program: HostProgram,
    { q, k, v }: FloatInputs,
    saved: ForwardResult,
    dout: Float32Array,
    dlse?: Float32Array,
  ): FloatGradients {
    const { H, S, D, Dv, Hkv } = program.shapes;
    const kernels = this.#kernels;
    const stripeRows = program.bias ? Stripes.rows(program) : 0;
    const at = this.#layout(program.op, program, (arena, { T, S, D, Dv, wideD, wideDv }) => ({
      ...{ q: arena.floats(T * D), k: arena.floats(S * D), v: arena.floats(S * Dv) },
      ...{
        out: arena.floats(T * Dv),
        dout: arena.floats(T * Dv),
        lse: arena.floats(T),
        delta: arena.floats(T),
      },
      ...{ keyPanels: arena.floats(roundUp(S, 24) * D), valuePanels: arena.floats(roundUp(S, 24) * Dv) },
      ...{ keyStrips: arena.floats(S * wideD), wild: arena.take(S), wildDout: arena.take(T) },
      ...{ queryPanels: arena.floats(roundUp(T, 6) * D), queryStrips: arena.floats(T * wideD) },
      ...{ doutPanels: arena.floats(roundUp(T, 6) * Dv), doutStrips: arena.floats(T * wideDv) },
      ...{ dq: arena.floats(roundUp(T, 6) * wideD), dk: arena.floats(roundUp(S, 24) * wideD) },
      ...{ dv: arena.floats(roundUp(S, 24) * wideDv), dbias: stripeRows && arena.floats(stripeRows * S) },
      scratch: arena.take(kernels.attentionBackwardScratchBytes!()),
    }));
    const result = {
      dq: new Float32Array(q.length),
      dk: new Float32Array(k.length),
      dv: new Float32Array(v.length),
      dbias: program.bias && new Float32Array(size(program.bias.array.shape)),
      dsink:
        program.sink === undefined ? undefined : new Float64Array(typeof program.sink === "number" ? 1 : H),
    };
    const out = this.#arena;
    this.#eachGroup(
      program,
      at,
      { k, v },
      () => kernels.attentionBackwardKeys!(this.#problem),
      (head, stripes) => {
        this.#copy(at.q, q, head.row * D, head.T * D);
        this.#copy(at.out, saved.output, head.row * Dv, head.T * Dv);
        this.#copy(at.dout, dout, head.row * Dv, head.T * Dv);
        this.#copy(at.lse, saved.lse, head.row, head.T);
        const delta = out.f32(at.delta, head.T).fill(0);
        if (dlse) delta.set(dlse.subarray(head.row, head.row + head.T));
        kernels.attentionBackwardQueries!(this.#problem);
        this.#eachStripe(stripes, head, (i0, i1) => {
          const slice = result.dbias && stripes.biasSlice(result.dbias, head.b, head.h, i0, i1);
          if (slice) out.f32(at.dbias, slice.length).set(slice);
          kernels.attentionBackward!(this.#problem, i0, i1);
          slice?.set(out.f32(at.dbias, slice.length));
        });
        kernels.attentionUnpad!(at.dq, head.T, D, program.scale);
        result.dq.set(out.f32(at.dq, head.T * D), head.row * D);
        if (result.dsink) addSinkGradient(program, head, saved, delta, dlse, result.dsink);
      },
      ({ b, g, S: visible }) => {
        kernels.attentionUnpad!(at.dk, visible, D, program.scale);
        kernels.attentionUnpad!(at.dv, visible, Dv, 1);
        result.dk.set(out.f32(at.dk, visible * D), (b * Hkv + g) * S * D);
        result.dv.set(out.f32(at.dv, visible * Dv), (b * Hkv + g) * S * Dv);
      },
    );
    addUniformGradients(program, dout, saved.emptyRows, result.dv);
    return { ...result, dsink: result.dsink && Float32Array.from(result.dsink) };
  }

  /** Takes the arrays of a call, grows the memory once and writes what all heads share. */
  #layout<A extends Partial<Record<ProblemField, number>>>(
    op: string,
    program: HostProgram,
    take: (
      arena: Arena,
      n: { T: number; S: number; D: number; Dv: number; wideD: number; wideDv: number },
    ) => A,
  ): A & { stripes: Stripes } {
    const arena = this.#arena;
    const { T, S, D, Dv } = program.shapes;
    arena.reset();
    this.#problem = arena.take(PROBLEM_BYTES);
    const at = take(arena, { T, S, D, Dv, wideD: roundUp(D, 8), wideDv: roundUp(Dv, 8) });
    const stripes = new Stripes(program, arena);
    arena.reserve(op);
    const { dropout } = program;
    const [seedLow, seedHigh] = words(dropout?.seed ?? 0);
    arena.u8(this.#problem, PROBLEM_BYTES).fill(0);
    writeProblem(this.memory, this.#problem, {
      ...at,
      D,
      Dv,
      scale: program.scale,
      softCap: program.softCap ?? 0,
      low: clamp(program.offset - program.left),
      high: clamp(program.offset + program.right),
      threshold: Math.min(dropout?.threshold ?? 0, 2 ** 32 - 1),
      keepScale: dropout?.keepScale ?? 1,
      seedLow,
      seedHigh,
    });
    return { ...at, stripes };
  }

  #copy(address: number, from: Float32Array, start: number, n: number): void {
    this.#arena.f32(address, n).set(from.subarray(start, start + n));
  }

  /** Brings in keys (and values) group by group, then visits the query heads that share them. */
  #eachGroup(
    program: HostProgram,
    at: { k: number; v?: number; stripes: Stripes },
    { k, v }: { k: Float32Array; v?: Float32Array },
    pack: () => void,
    visit: (head: Head, stripes: Stripes) => void,
    leave?: (group: { b: number; g: number; S: number }) => void,
  ): void {
    const { B, H, Hkv, T, S, D, Dv } = program.shapes;
    const perGroup = H / Hkv;
    for (let b = 0; b < B; b++) {
      const lengths = lengthsOf(program, b);
      for (let g = 0; g < Hkv; g++) {
        const row = (b * Hkv + g) * S;
        this.#copy(at.k, k, row * D, lengths.S * D);
        if (v) this.#copy(at.v!, v, row * Dv, lengths.S * Dv);
        writeProblem(this.memory, this.#problem, { ...lengths, b });
        pack();
        for (let h = g * perGroup; h < (g + 1) * perGroup; h++) {
          writeProblem(this.memory, this.#problem, { h, sink: sinkOf(program, h) });
          visit({ b, h, row: (b * H + h) * T, ...lengths }, at.stripes);
        }
        leave?.({ b, g, S: lengths.S });
      }
    }
  }

  /** Runs over the queries of a head, as many at a time as bias and allow allow. */
  #eachStripe(
    stripes: Stripes,
    { b, h, T }: Head,
    run: (i0: number, i1: number) => void,
    most = Infinity,
  ): void {
    const step = Math.min(stripes.step, most);
    for (let i0 = 0; i0 < T; i0 += step) {
      const i1 = Math.min(T, i0 + step);
      writeProblem(this.memory, this.#problem, { row0: i0, ...stripes.bring(b, h, i0, i1) });
      run(i0, i1);
    }
  }

  #collectEmptyRows({ op, onEmptyRow }: HostProgram, head: Head, address: number, rows: number[]): void {
    const flags = this.#arena.u8(address, head.T);
    for (let i = flags.indexOf(1); i >= 0; i = flags.indexOf(1, i + 1)) {
      if (onEmptyRow === "error") throw new OptionError("EMPTY_ROW", { op, b: head.b, h: head.h, i });
      rows.push(head.row + i);
    }
  }
}

/**
 * The sink's gradient is −p_sink (dout · out − dlse), over padded queries too: they see the sink alone. The output of
 * padded and of empty rows does not depend on it, so there only dlse counts.
 */
function addSinkGradient(
  program: HostProgram,
  head: Head,
  { lse, emptyRows }: ForwardResult,
  delta: Float32Array,
  dlse: Float32Array | undefined,
  dsink: Float64Array,
): void {
  const sink = sinkOf(program, head.h);
  const empty = new Set(emptyRows);
  for (let i = 0; i < program.shapes.T; i++) {
    const row = head.row + i;
    if (lse[row] === -Infinity) continue;
    const d = i < head.T && !empty.has(row) ? delta[i]! : -(dlse?.[row] ?? 0);
    dsink[dsink.length === 1 ? 0 : head.h]! -= Math.exp(sink - lse[row]!) * d;
  }
}
