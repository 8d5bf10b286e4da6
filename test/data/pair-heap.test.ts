import fc from "fast-check";
import { expect, test } from "vitest";
import { PairHeap } from "../../src/data/pair-heap.ts";

test("PairHeap gives back the largest count first and, among equals, the smallest key", () => {
  const entry = fc.record({ count: fc.integer({ min: 1, max: 7 }), key: fc.integer({ min: 0, max: 23 }) });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 31 }), (entries) => {
      const heap = new PairHeap();
      for (const { count, key } of entries) heap.push(count, key);
      const sorted = entries.toSorted((a, b) => b.count - a.count || a.key - b.key);
      expect(Array.from({ length: heap.size }, () => heap.pop())).toEqual(sorted);
      expect(heap.pop()).toBeUndefined();
    }),
  );
});
