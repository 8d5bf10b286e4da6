import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MemoryError } from "../../src/core/errors.ts";
import { BACKEND } from "../../src/host/backend.ts";
import { type Heap, heapOf } from "../../src/host/heap.ts";
import { useBuild } from "./compare.ts";

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
      "a stock kernel that allocates inside",
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
      expect((error as MemoryError<"OUT_OF_MEMORY">).code).toBe("OUT_OF_MEMORY");
      expect((error as MemoryError<"OUT_OF_MEMORY">).details.op).toBe(name);
    }
    expect([...tf.add(x, 1).dataSync()]).toEqual([2, 3, 4, 5]);
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
