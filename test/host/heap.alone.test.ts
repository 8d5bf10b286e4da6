import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MemoryError } from "../../src/core/errors.ts";
import { BACKEND } from "../../src/host/backend.ts";
import { type Heap, heapOf } from "../../src/host/heap.ts";
import { useBuild } from "../support/kernel-build.ts";

interface Module {
  _malloc(bytes: number): number;
  HEAPU8: Uint8Array;
}

let heap: Heap;
let module: Module;

beforeEach(async () => {
  await useBuild(undefined);
  heap = heapOf(tf.backend());
  module = (heap.backend as unknown as { wasm: Module }).wasm;
});

/** Has the heap refuse allocations of at least `bytes` bytes, as a full one does, while `f` runs. */
function full<T>(bytes: number, f: () => T): T {
  const asm = (module as unknown as { asm: { memory: WebAssembly.Memory } }).asm;
  const grow = asm.memory.grow;
  asm.memory.grow = () => {
    throw new RangeError("full");
  };
  try {
    expect(module.HEAPU8.byteLength).toBeLessThan(bytes);
    return f();
  } finally {
    asm.memory.grow = grow;
  }
}

const HUGE = 2 ** 28; // elements: 1 GiB, more than the heap that a test starts with

describe("A full heap", () => {
  it("makes a new tensor throw, and leaves no tensor behind", () => {
    const before = tf.memory();
    const values = new Float32Array(2 ** 25);
    const call = () => full(2 ** 27, () => tf.tensor1d(values));
    expect(call).toThrow(MemoryError);
    expect(call).toThrow(
      `tensor: the WebAssembly heap must have room for ${2 ** 27} more bytes (it ends at 4 GiB), got a heap of ` +
        `${module.HEAPU8.byteLength} bytes that cannot grow; dispose tensors, or use a smaller batch`,
    );
    expect(tf.memory()).toEqual(before);
  });

  it.each([
    ["a kernel of ours", "tile", (x: tf.Tensor1D) => tf.tile(x, [HUGE / 4])],
    ["a stock kernel", "Fill", () => tf.fill([HUGE], 1)],
    [
      "a kernel of ours in a stock one's place",
      "OneHot",
      () => tf.oneHot(tf.zeros([2 ** 14], "int32"), 2 ** 14),
    ],
  ])("makes %s throw with its name", (_, name, call) => {
    const x = tf.tensor1d([1, 2, 3, 4]);
    try {
      full(2 ** 29, () => tf.tidy(() => call(x)));
      expect.fail("nothing was thrown");
    } catch (error) {
      expect(error).toBeInstanceOf(MemoryError);
      expect((error as MemoryError<"MEMORY">).code).toBe("MEMORY");
      expect((error as MemoryError<"MEMORY">).details.op).toBe(name);
    }
    expect([...tf.add(x, 1).dataSync()]).toEqual([2, 3, 4, 5]);
  });

  const zeros = (...shape: number[]) => tf.zeros(shape);
  const [T, B, H] = [3, 5, 7];
  const gru = () => ({
    x: zeros(T, B, 3 * H),
    u: zeros(T, B, 3 * H),
    h0: zeros(B, H),
    states: zeros(T, B, H),
    U: zeros(H, 3 * H),
    b: zeros(3 * H),
    mask: zeros(T, B),
    dout: zeros(T, B, H),
  });
  const lstm = () => ({ a: zeros(B, 4 * H), c: zeros(B, H), h: zeros(B, H), mask: zeros(B) });
  const numbers = { scale: 1, decay: 0, beta1: 0.9, beta2: 0.999, step: 1, root: 1, epsilon: 1 };
  it.each<[string, () => tf.NamedTensorMap, object]>([
    ["HeedGruSequence", gru, { reverse: false }],
    ["HeedGruSequenceGrad", gru, { reverse: false }],
    ["HeedLstmCell", lstm, {}],
    ["HeedAdam", () => ({ p: zeros(B), g: zeros(B), m: zeros(B), v: zeros(B) }), numbers],
    ["SplitV", () => ({ x: zeros(B, H) }), { numOrSizeSplits: [2, 3, 2], axis: 1 }],
    ["Sum", () => ({ x: zeros(2, 3, 2, 3) }), { axis: [0, 2], keepDims: false }],
    ["Tile", () => ({ x: zeros(2, 3) }), { reps: [2, 2] }],
    ["TopK", () => ({ x: tf.ones([7], "bool") }), { k: 3, sorted: true }],
    ["Select", () => ({ condition: tf.ones([3], "bool"), t: zeros(3), e: tf.ones([3], "int32") }), {}],
    ["Exp", () => ({ x: tf.ones([3], "int32") }), {}],
  ])("makes %s free what it had made, whichever allocation is refused", (name, make, attrs) => {
    const inputs = make();
    // Once undisturbed: scratch stays, and tensors made elsewhere come here.
    for (const x of Object.values(inputs)) heap.address(x);
    const entries = heap.backend.numDataIds();
    const malloc = module._malloc;
    let refused = 0;
    for (let n = 1; refused === n - 1; n++) {
      let left = n;
      module._malloc = (bytes) => {
        if (--left === 0) throw new Error(`allocation ${n}`);
        return malloc(bytes);
      };
      try {
        tf.tidy(() => void tf.engine().runKernel(name, inputs, attrs as never));
      } catch (error) {
        expect((error as Error).message).toBe(`allocation ${n}`);
        refused++;
      } finally {
        module._malloc = malloc;
      }
      expect(heap.backend.numDataIds(), `after allocation ${n}`).toBe(entries);
      for (const x of Object.values(inputs)) expect(x.dataSync().length).toBe(x.size);
    }
    expect(refused).toBeGreaterThan(0);
    tf.dispose(inputs);
    expect(heap.backend.numDataIds()).toBe(entries - Object.keys(inputs).length);
  });

  it("makes scratch throw, and works again when there is room", () => {
    expect(() => full(2 ** 28, () => heap.scratch("matMul", 2 ** 28))).toThrow(
      /^matMul: the WebAssembly heap/,
    );
    expect(heap.scratch("matMul", 1000) % 16).toBe(0);
  });
});

describe("A heap", () => {
  afterEach(() => tf.disposeVariables());

  it("refuses nothing to an empty tensor", () => {
    const x = tf.zeros([0, 3]);
    expect(tf.add(x, 1).shape).toEqual([0, 3]);
  });

  it("keeps scratch 16-byte aligned and grows it", () => {
    const small = heap.scratch("test", 10);
    expect(heap.scratch("test", 5)).toBe(small);
    expect(heap.scratch("test", 100_000) % 16).toBe(0);
  });

  it("moves a tensor of another backend to itself and back", async () => {
    await tf.setBackend("cpu");
    const x = tf.tensor1d([1, 2, 3]);
    await tf.setBackend(BACKEND);
    const y = tf.mul(x, 2);
    await tf.setBackend("cpu");
    expect([...tf.add(y, x).dataSync()]).toEqual([3, 6, 9]);
    tf.dispose([x, y]);
  });

  it("shares the elements of a clone and of a cast to the same dtype, freeing them with the last", () => {
    const x = tf.tensor1d([1, 2, 3]);
    const copies = [tf.clone(x), tf.cast(x, "float32")];
    expect(copies.map((t) => heap.address(t))).toEqual([heap.address(x), heap.address(x)]);
    x.dispose();
    expect([...copies[0]!.dataSync()]).toEqual([1, 2, 3]);
    const entries = heap.backend.numDataIds();
    tf.dispose(copies);
    expect(heap.backend.numDataIds()).toBe(entries - 1);
  });
});
