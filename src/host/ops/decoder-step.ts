/**
 * One token of each example through all layers of a decoder as one kernel: the kernels that the layers' operations would run, one
 * after another on addresses, with scratch that is laid out once. Of a step of a small model most of the time was TensorFlow.js
 * between them.
 */
import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { HostArray } from "../../core/notation.ts";
import { compileProgram } from "../../core/program.ts";
import { callLayout } from "../../kernels/layout.ts";
import type { PackedForm } from "../../kernels/quantized/forms.ts";
import type { Arena } from "../../kernels/wasm/arena.ts";
import { HeadsCall } from "../../kernels/wasm/attention/heads.ts";
import { type Operand, PlacedOperands } from "../../kernels/wasm/attention/operands.ts";
import type { Workspace } from "../../kernels/wasm/attention/pass.ts";
import type { Heap } from "../heap.ts";
import type { HeedKernel } from "../register.ts";
import { workspaceOf } from "../workspace.ts";
import { PackedVectors, type PlacedMatrix } from "./packed-vectors.ts";

/** x·Wᵀ + b with W [O, I], as floats or packed. */
export interface StepMap {
  readonly matrix:
    | TensorInfo
    | { readonly form: PackedForm; readonly shape: readonly [number, number]; readonly words: TensorInfo };
  readonly bias?: TensorInfo | undefined;
}

/** A norm with β is a layer norm, one without it a root mean square norm. */
export interface StepNorm {
  readonly gamma: TensorInfo;
  readonly beta?: TensorInfo | undefined;
}

export interface StepLayer {
  readonly self: Readonly<Record<"query" | "key" | "value" | "output", StepMap>> & {
    readonly norm: StepNorm;
  };
  readonly feed: Readonly<Record<"in" | "out", StepMap>> & {
    readonly norm: StepNorm;
    readonly gate?: StepMap | undefined;
  };
}

export interface StepAttributes {
  readonly layers: readonly StepLayer[];
  /** Keys and values of each layer [B, capacity, Hkv, D], into which the step writes its own. */
  readonly caches: readonly { readonly k: TensorInfo; readonly v: TensorInfo }[];
  /** After the last layer. */
  readonly norm?: StepNorm | undefined;
  readonly preNorm: boolean;
  readonly epsilon: number;
  readonly activation: "relu" | "gelu" | "geluTanh" | "silu";
  /** D */
  readonly headWidth: number;
  /** Factor of the scores. */
  readonly scale: number;
  /** Cosines and sines [B or 1, R/2] by which queries and keys turn. */
  readonly turn?: { readonly cos: TensorInfo; readonly sin: TensorInfo; readonly pairs: string } | undefined;
  /** The row of the cache into which each example's keys and values go. */
  readonly starts: ArrayLike<number>;
  /** How many rows each example sees then. */
  readonly keyLengths: ArrayLike<number>;
}

const OP = "decoderStep";
const RELU = 1;

interface PlacedMap {
  readonly packed: PlacedMatrix | undefined;
  /** Of a matrix that is not packed. */
  readonly floats: number;
  /** 0: none. */
  readonly bias: number;
  readonly shape: readonly [O: number, I: number];
}

interface PlacedNorm {
  readonly gamma: number;
  /** 0: none. */
  readonly beta: number;
}

/** A layer by addresses. */
interface PlacedLayer {
  readonly norm: PlacedNorm;
  readonly query: PlacedMap;
  readonly key: PlacedMap;
  readonly value: PlacedMap;
  readonly output: PlacedMap;
  readonly feedNorm: PlacedNorm;
  readonly gate: PlacedMap | undefined;
  readonly in: PlacedMap;
  readonly out: PlacedMap;
  readonly keys: number;
  readonly values: number;
}

/** The arrays between the kernels, as numbers of an example, and the bytes that products need. */
const roomsOf = ({ C, H, Hkv, D, F }: Record<"C" | "H" | "Hkv" | "D" | "F", number>) => ({
  ...{ states: C, normed: C, added: C, stats: 4 },
  ...{ q: H * D, k: Hkv * D, v: Hkv * D, heads: H * D },
  ...{ inner: F, gate: F },
});
type Rooms = Record<keyof ReturnType<typeof roomsOf> | "vectors" | "gemm", number>;

/** x [B, 1, C] → the states after the last layer and its norm, [B, 1, C]. */
export const decoderStep: HeedKernel = ({ inputs, attrs, heap }) => {
  const x = inputs.x!;
  const out = heap.output(OP, x.shape);
  const step = new Step(heap, attrs as unknown as StepAttributes, x.shape[0]!, x.shape.at(-1)!);
  step.run(heap.address(x), heap.address(out));
  return out;
};

class Step {
  readonly #heap: Heap;
  readonly #attrs: StepAttributes;
  readonly #B: number;
  readonly #C: number;
  readonly #H: number;
  readonly #Hkv: number;
  readonly #F: number;
  readonly #capacity: number;
  readonly #layers: readonly PlacedLayer[];
  readonly #last: PlacedNorm | undefined;
  readonly #turn:
    | { readonly cos: number; readonly sin: number; readonly rows: number; readonly half: number }
    | undefined;
  /** Where attention finds its operands: those of the layer that runs. */
  readonly #operands: Partial<Record<Operand, number>> = {};
  readonly #attention: HeadsCall;
  #rooms!: Rooms;

  constructor(heap: Heap, attrs: StepAttributes, B: number, C: number) {
    this.#heap = heap;
    this.#attrs = attrs;
    this.#B = B;
    this.#C = C;
    // What is on another backend moves to the heap here, before anything runs.
    this.#layers = attrs.layers.map((layer, n) => this.#layer(layer, attrs.caches[n]!));
    this.#last = attrs.norm && this.#norm(attrs.norm);
    const { turn, headWidth: D } = attrs;
    if (turn) {
      const [rows, half] = turn.cos.shape as [number, number];
      this.#turn = { cos: heap.address(turn.cos), sin: heap.address(turn.sin), rows, half };
    }
    const [first] = this.#layers;
    [, this.#capacity, this.#Hkv] = attrs.caches[0]!.k.shape as [number, number, number];
    this.#H = first!.query.shape[0] / D;
    this.#F = first!.in.shape[0];
    this.#attention = this.#layOut();
  }

  #layer({ self, feed }: StepLayer, { k, v }: StepAttributes["caches"][number]): PlacedLayer {
    const map = (given: StepMap) => this.#map(given);
    return {
      ...{ norm: this.#norm(self.norm), query: map(self.query), key: map(self.key), value: map(self.value) },
      output: map(self.output),
      feedNorm: this.#norm(feed.norm),
      gate: feed.gate && map(feed.gate),
      ...{ in: map(feed.in), out: map(feed.out) },
      keys: this.#heap.address(k),
      values: this.#heap.address(v),
    };
  }

  #map({ matrix, bias: given }: StepMap): PlacedMap {
    const bias = given ? this.#heap.address(given) : 0;
    if (!("words" in matrix)) {
      const shape = matrix.shape as [number, number];
      return { packed: undefined, floats: this.#heap.address(matrix), bias, shape };
    }
    const { form, shape, words } = matrix;
    return { packed: { words: this.#heap.address(words), form, O: shape[0] }, floats: 0, bias, shape };
  }

  #norm({ gamma, beta }: StepNorm): PlacedNorm {
    return { gamma: this.#heap.address(gamma), beta: beta ? this.#heap.address(beta) : 0 };
  }

  /** Takes scratch for all arrays at once, and for attention, whose struct is written once for all layers. */
  #layOut(): HeadsCall {
    const { headWidth: D, scale, keyLengths } = this.#attrs;
    const sizes = { B: this.#B, H: this.#H, Hkv: this.#Hkv, D };
    const { kernels } = this.#heap;
    const widths = [this.#C, this.#H * D, this.#F];
    const most = (bytes: (width: number) => number) => Math.max(...widths.map(bytes));
    const takeRooms = (arena: Arena): Rooms => {
      const floats = Object.entries(roomsOf({ ...sizes, C: this.#C, F: this.#F }));
      return {
        ...Object.fromEntries(floats.map(([name, n]) => [name, arena.floats(this.#B * n)])),
        vectors: arena.take(this.#B * most((I) => Math.max(4 * I, kernels.vectorBytes!(I) + 16))),
        gemm: arena.take(most((N) => kernels.gemmScratchBytes!(N))),
      } as Rooms;
    };
    const { space, lay } = workspaceOf(this.#heap);
    const workspace: Workspace = {
      space,
      lay: (op, take) =>
        lay(op, (arena) => {
          this.#rooms = takeRooms(arena);
          return take(arena);
        }),
    };
    const shapes = { ...sizes, T: 1, S: this.#capacity, Dv: D };
    const program = compileProgram<HostArray>(OP, shapes, { scale, keyLengths });
    const layout = callLayout("bthd", shapes, program.queryLengths, program.keyLengths);
    const io = new PlacedOperands(shapes, layout, this.#operands);
    const nobody = () => new Float32Array(0);
    return new HeadsCall(
      workspace,
      { program, layout, io },
      {
        kernel: "attentionHeads",
        operands: ["q", "k", "v", "out"],
        perPair: 4 * D,
        lse: { high: nobody, low: nobody },
      },
    );
  }

  run(x: number, out: number): void {
    const { states } = this.#rooms;
    const bytes = 4 * this.#B * this.#C;
    this.#heap.kernels.copyBytes!(x, states, bytes);
    for (const layer of this.#layers) {
      this.#sublayer(layer.norm, (y) => this.#attend(layer, y));
      this.#sublayer(layer.feedNorm, (y) => this.#feedForward(layer, y));
    }
    if (this.#last) this.#normalise(this.#last, states, out);
    else this.#heap.kernels.copyBytes!(states, out, bytes);
  }

  /** Adds to the states what `run` makes of them in `added`, with the norm before or after. */
  #sublayer(norm: PlacedNorm, run: (from: number) => void): void {
    const { states, normed, added } = this.#rooms;
    const { preNorm } = this.#attrs;
    if (preNorm) this.#normalise(norm, states, normed);
    run(preNorm ? normed : states);
    this.#each("add", states, added, preNorm ? states : added, this.#C);
    if (!preNorm) this.#normalise(norm, added, states);
  }

  #normalise({ gamma, beta }: PlacedNorm, from: number, to: number): void {
    const { kernels } = this.#heap;
    const [B, C, { stats }, { epsilon }] = [this.#B, this.#C, this.#rooms, this.#attrs];
    if (beta) kernels.layerNorm!(from, gamma, beta, to, stats, B, C, epsilon);
    else kernels.rmsNorm!(from, gamma, to, stats, B, C, epsilon);
  }

  /** Of two arrays of that width. */
  #each(kernel: "add" | "multiply", a: number, b: number, out: number, width: number): void {
    this.#heap.kernels[kernel]!(a, b, out, this.#B, width, width, 1, width, 1);
  }

  /** For maps of the same rows, in which packed ones share what they make of them. */
  #vectors(x: number, I: number): PackedVectors {
    return new PackedVectors(this.#heap, x, [this.#B, I], () => this.#rooms.vectors);
  }

  #times(
    x: number,
    { packed, floats, bias, shape: [O, I] }: PlacedMap,
    vectors: PackedVectors,
    out: number,
  ): void {
    const { kernels } = this.#heap;
    const B = this.#B;
    if (packed) vectors.times(packed, out);
    else kernels.gemm!(x, I, 1, floats, 1, I, out, B, O, I, this.#rooms.gemm, 0);
    if (bias) kernels.biasActivation!(out, B, O, bias, 0, 0);
  }

  #attend({ query, key, value, output, keys, values }: PlacedLayer, y: number): void {
    const { q, k, v, heads, added } = this.#rooms;
    const { starts, headWidth: D } = this.#attrs;
    const vectors = this.#vectors(y, this.#C);
    this.#times(y, query, vectors, q);
    this.#times(y, key, vectors, k);
    this.#times(y, value, vectors, v);
    this.#rotate(q, this.#H);
    this.#rotate(k, this.#Hkv);
    const bytes = 4 * this.#Hkv * D;
    for (let b = 0; b < this.#B; b++) {
      const row = (b * this.#capacity + starts[b]!) * bytes;
      this.#heap.kernels.copyBytes!(k + b * bytes, keys + row, bytes);
      this.#heap.kernels.copyBytes!(v + b * bytes, values + row, bytes);
    }
    Object.assign(this.#operands, { q, k: keys, v: values, out: heads });
    this.#attention.run();
    this.#times(heads, output, this.#vectors(heads, this.#H * D), added);
  }

  /** In place. */
  #rotate(x: number, count: number): void {
    if (!this.#turn) return;
    const { cos, sin, rows, half } = this.#turn;
    const { headWidth: D, turn } = this.#attrs;
    const interleaved = Number(turn!.pairs === "interleaved");
    this.#heap.kernels.rotatePairs!(x, cos, sin, x, this.#B / rows, rows, count, D, half, interleaved, 0);
  }

  #feedForward({ gate, in: into, out }: PlacedLayer, y: number): void {
    const { inner, gate: gates, added } = this.#rooms;
    const { activation } = this.#attrs;
    const { kernels } = this.#heap;
    const size = this.#B * this.#F;
    const vectors = this.#vectors(y, this.#C);
    this.#times(y, into, vectors, inner);
    if (gate) this.#times(y, gate, vectors, gates);
    if (gate && activation === "silu") {
      kernels.gatedSilu!(gates, inner, inner, size);
    } else {
      this.#activate(gate ? gates : inner, size);
      if (gate) this.#each("multiply", gates, inner, inner, this.#F);
    }
    this.#times(inner, out, this.#vectors(inner, this.#F), added);
  }

  /** In place. */
  #activate(x: number, size: number): void {
    const { activation } = this.#attrs;
    const { kernels } = this.#heap;
    if (activation === "relu") kernels.biasActivation!(x, 1, size, 0, RELU, 0);
    else kernels[activation]!(x, x, size);
  }
}
