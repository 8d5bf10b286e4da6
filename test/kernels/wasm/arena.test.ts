import { describe, expect, it } from "vitest";
import { MemoryError } from "../../../src/core/errors.ts";
import { Arena } from "../../../src/kernels/wasm/arena.ts";

describe("An arena", () => {
  it("gives arrays that do not overlap, and grows once they are reserved", () => {
    const arena = new Arena(new WebAssembly.Memory({ initial: 1, maximum: 10 }));
    const [a, b] = [arena.floats(17), arena.take(200_000)];
    expect(b).toBeGreaterThanOrEqual(a + 4 * 17);
    expect([a % 64, b % 64]).toEqual([0, 0]);
    arena.reserve("test");
    arena.u8(b, 200_000).fill(1);
    expect(arena.f32(a, 17).every((x) => x === 0)).toBe(true);
    expect(arena.memory.buffer.byteLength).toBe(4 * 65536);
  });

  it.each([
    ["the memory's maximum", 700_000],
    ["4 GiB", 2 ** 32],
  ])("refuses more than %s, and works on", (_, bytes) => {
    const arena = new Arena(new WebAssembly.Memory({ initial: 1, maximum: 10 }));
    arena.take(bytes);
    expect(() => arena.reserve("attention")).toThrow(MemoryError);
    expect(() => arena.reserve("attention")).toThrow(
      /^attention: the operands of one group of heads must fit in a WebAssembly memory of at most 4 GiB, got \d+ bytes that could not be had; use fewer queries at a time with queryOffset, or free memory$/,
    );
    const small = arena.take(100);
    arena.giveBack(small);
    expect(arena.take(100)).toBe(small);
    arena.reset();
    arena.take(100_000);
    arena.reserve("attention");
    expect(arena.memory.buffer.byteLength).toBe(2 * 65536);
  });
});
