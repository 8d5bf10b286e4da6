/** `scoreMod` and `maskMod` of a call in the kernels' memory: their functions, and the tensors that these read. */

import { stridesOf } from "../../../core/expression/expression.ts";
import { learnedTensors, type Modification } from "../../../core/expression/modification.ts";
import { PART, partStarts } from "../../../core/expression/wasm/emit.ts";
import { type HostArray, size } from "../../../core/notation.ts";
import type { HostProgram } from "../../../core/program.ts";
import type { Arena } from "../arena.ts";
import { type FunctionModule, functionModule, installFunctions, type PlacedFunctions } from "../functions.ts";
import { firstPlace } from "../pool/work.js";
import type { KernelSpace } from "../space.ts";
import { type ProblemFields, problemWords } from "./problem.ts";

/** Vectors of a tensor may be read past its end. */
const SLACK = 128;

/** Captured tensors' gradients, float64, one array after another. */
interface Sums {
  readonly name: string;
  /** Numbers before it. */
  readonly first: number;
  readonly n: number;
}

export class PlacedModification {
  readonly #space: KernelSpace;
  readonly #modification: Modification<HostArray>;
  readonly #module: FunctionModule;
  readonly #isShared: boolean;
  #block = 0;
  #bytes = 0;
  readonly #addresses = new Map<string, number>();
  /** Where each learned tensor's sums begin. */
  readonly sums: readonly Sums[];
  /** Of all of them together. */
  readonly sumBytes: number;
  #functions: PlacedFunctions | undefined;

  /** Undefined for a program without functions of scores. */
  static of(space: KernelSpace, { modification, shapes }: HostProgram): PlacedModification | undefined {
    return modification && new PlacedModification(space, modification, shapes);
  }

  private constructor(
    space: KernelSpace,
    modification: Modification<HostArray>,
    { T, S }: HostProgram["shapes"],
  ) {
    this.#space = space;
    this.#modification = modification;
    const { nodes, score, mask, tensors } = modification;
    const learned = learnedTensors(modification);
    const { buffer } = space.memory;
    this.#isShared = typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer;
    const plans = Object.entries(tensors).map(([name, { shape }]) => {
      const last = shape.at(-1) ?? 0;
      return { name, rank: shape.length, hasAllQueries: last >= T, hasAllKeys: last >= S };
    });
    this.#module = functionModule({ nodes, score, mask, tensors: plans, learned }, this.#isShared);
    let first = 0;
    this.sums = learned.map((name) => {
      const n = size(tensors[name]!.shape);
      first += n;
      return { name, first: first - n, n };
    });
    this.sumBytes = 8 * first;
    this.#plans = plans;
  }

  readonly #plans: Parameters<typeof partStarts>[0];

  /** Takes what tensors and functions need. */
  lay(arena: Arena): void {
    for (const [name, { shape }] of Object.entries(this.#modification.tensors)) {
      this.#addresses.set(name, arena.take(4 * size(shape) + SLACK));
    }
    this.#block = arena.take(partStarts(this.#plans).bytes);
    this.#bytes = this.#isShared ? arena.take(this.#module.bytes.length) : 0;
  }

  /** Writes them, and answers the fields of a problem that has them. */
  place(): ProblemFields {
    const { memory, kernels } = this.#space;
    const { integers, floats } = problemWords(memory);
    const { starts } = partStarts(this.#plans);
    for (const [name, { shape, values }] of Object.entries(this.#modification.tensors)) {
      const address = this.#addresses.get(name)!;
      floats.set(values, address >>> 2);
      const at = (this.#block + starts.get(name)!) >>> 2;
      const first = this.sums.find((sums) => sums.name === name)?.first ?? 0;
      integers[at + PART.address / 4] = address;
      integers[at + PART.sums / 4] = 8 * first;
      for (const [axis, stride] of stridesOf(shape).entries()) {
        const word = at + (PART.axes + axis * PART.axis) / 4;
        integers[word + PART.last / 4] = shape[axis]! - 1;
        integers[word + PART.stride / 4] = stride;
      }
    }
    const set = installFunctions(kernels, memory, this.#module);
    const { id, bytes } = this.#module;
    if (this.#isShared) new Uint8Array(memory.buffer, this.#bytes, bytes.length).set(bytes);
    this.#functions = { id, set, address: this.#bytes, bytes: bytes.length };
    const { score } = this.#modification;
    return { functions: firstPlace(set), modification: this.#block, changes: score ? 1 : 0 };
  }

  /** For jobs whose kernels call them. */
  get functions(): PlacedFunctions | undefined {
    return this.#functions;
  }

  /** Adds the sums at an address to gradients by name. */
  addTo(gradients: Readonly<Record<string, Float64Array>>, address: number): void {
    const all = new Float64Array(this.#space.memory.buffer, address, this.sumBytes / 8);
    for (const { name, first, n } of this.sums) {
      const gradient = gradients[name]!;
      for (let e = 0; e < n; e++) gradient[e]! += all[first + e]!;
    }
  }
}
