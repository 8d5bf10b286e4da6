/** Additive attention of typed arrays, on a memory of our own: copied in, run, copied out. */
import { size } from "../../core/notation.ts";
import type { HostProgram } from "../../core/program.ts";
import { type AdditiveCall, additiveBytes, runAdditive, runAdditiveGradients } from "./additive-kernels.ts";
import type { AdditiveArrays } from "./additive-problem.ts";
import { Arena } from "./arena.ts";
import { instantiateKernels, type KernelBuild, type KernelExports } from "./load.ts";

export interface AdditiveFloats {
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly v: Float32Array;
  readonly value: Float32Array;
}

/** What a gradient is asked for: those of the output, and perhaps of lse and weights. */
export interface AdditiveCotangents<A> {
  readonly dout: A;
  readonly dlse?: A | undefined;
  readonly dweights?: A | undefined;
}

type Floats = Record<string, Float32Array | undefined>;

export class AdditiveEngine {
  readonly build: KernelBuild;
  readonly memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
  readonly #kernels: KernelExports;
  readonly #arena = new Arena(this.memory);

  constructor(build: KernelBuild) {
    this.build = build;
    this.#kernels = instantiateKernels(this.memory, build);
  }

  /** @throws OptionError EMPTY_ROW · MemoryError MEMORY */
  forward(program: HostProgram, inputs: AdditiveFloats, wantWeights: boolean) {
    const { B, T, S, Dv } = program.shapes;
    const results = { out: B * T * Dv, lse: B * T, ...(wantWeights && { weights: B * T * S }) };
    const { out, lse, weights } = this.#run(program, { ...inputs }, results, false);
    return { output: out!, lse: lse!, ...(weights && { weights }) };
  }

  /** The gradients of Σ dout·output + Σ dlse·lse + Σ dweights·weights. */
  backward(
    program: HostProgram,
    inputs: AdditiveFloats,
    lse: Float32Array,
    cotangents: AdditiveCotangents<Float32Array>,
  ) {
    const { query, key, v, value } = inputs;
    const results = {
      ...{ dquery: query.length, dkey: key.length, dv: v.length, dvalue: value.length },
      ...(program.bias && { dbias: size(program.bias.array.shape) }),
      ...(program.sink !== undefined && { dsink: 1 }),
    };
    return this.#run(program, { ...inputs, lse, ...cotangents }, results, true) as {
      [name in "dquery" | "dkey" | "dv" | "dvalue"]: Float32Array;
    } & { dbias?: Float32Array; dsink?: Float32Array };
  }

  #run<R extends Record<string, number>>(
    program: HostProgram,
    inputs: Floats,
    results: R,
    backward: boolean,
  ): { [name in keyof R]: Float32Array } {
    const arena = this.#arena;
    const { bias, allow } = program;
    arena.reset();
    const given = Object.entries(inputs).filter((entry): entry is [string, Float32Array] => !!entry[1]);
    const at: AdditiveArrays & Record<string, number> = {};
    for (const [name, values] of given) at[name] = arena.floats(values.length);
    for (const [name, n] of Object.entries(results)) at[name] = arena.floats(n);
    if (bias) at.bias = arena.floats(bias.array.values.length);
    if (allow) at.allow = arena.take(allow.array.values.length);
    const call = { program, A: inputs.v!.length };
    const scratch = arena.take(additiveBytes(this.#kernels, call, backward));
    arena.reserve(program.op);
    for (const [name, values] of given) arena.f32(at[name]!, values.length).set(values);
    if (bias) arena.f32(at.bias!, bias.array.values.length).set(bias.array.values);
    if (allow) arena.u8(at.allow!, allow.array.values.length).set(allow.array.values);
    for (const name of ["dv", "dbias", "dsink"]) if (at[name]) arena.f32(at[name], results[name]!).fill(0);
    const run: (...args: [KernelExports, ArrayBuffer, AdditiveCall, AdditiveArrays]) => void = backward
      ? runAdditiveGradients
      : runAdditive;
    run(this.#kernels, this.memory.buffer, { ...call, scratch }, at);
    const copies = Object.entries(results).map(([name, n]) => [name, arena.f32(at[name]!, n).slice()]);
    return Object.fromEntries(copies);
  }
}
