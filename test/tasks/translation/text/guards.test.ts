import { expect, it } from "vitest";
import { RandomStream } from "../../../../src/core/random.ts";
import {
  forbiddenNext,
  hasLoop,
  longestOutput,
  longestRun,
} from "../../../../src/tasks/translation/text/guards.ts";

it("forbids a piece that puts a phrase in a row once too often", () => {
  expect([...forbiddenNext([7, 4, 4, 4])]).toEqual([4]);
  expect([...forbiddenNext([7, 4, 4])]).toEqual([]);
  // no , no , no: three times is said, a fourth is not.
  expect([...forbiddenNext([1, 2, 1, 2, 1, 2, 1])]).toEqual([2]);
  expect([...forbiddenNext([1, 2, 1, 2, 1])]).toEqual([]);
  // Three pieces may stand twice.
  expect([...forbiddenNext([5, 6, 7, 5, 6, 7, 5, 6])]).toEqual([7]);
  expect([...forbiddenNext([5, 6, 7, 5, 6])]).toEqual([]);
  expect([...forbiddenNext([1, 1, 1, 1], { most: 5 })]).toEqual([]);
  expect([...forbiddenNext([])]).toEqual([]);
});

it("what it forbids is exactly what would be a loop", () => {
  const random = new RandomStream(5);
  for (let trial = 0; trial < 100; trial++) {
    const most = 2 + random.integer(3);
    const ids: number[] = [];
    // Grow without loops, then ask of every next piece.
    for (let t = 0; t < 40; t++) {
      const forbidden = forbiddenNext(ids, { most, longest: 5 });
      const loops = [0, 1, 2].filter((next) => hasLoop([...ids, next], { most, longest: 5 }));
      expect([...forbidden].sort(), `${ids}`).toEqual(loops);
      const free = [0, 1, 2].filter((next) => !forbidden.has(next));
      if (free.length === 0) break;
      ids.push(free[random.integer(free.length)]!);
    }
  }
});

it("longestRun says what a source repeats itself", () => {
  expect(longestRun([1, 2, 3])).toBe(1);
  expect(longestRun([9, 9, 9, 9])).toBe(4);
  expect(longestRun([1, 2, 1, 2, 1, 3])).toBe(2);
  expect(longestRun([])).toBe(0);
});

it("longestOutput grows with the source", () => {
  expect([0, 1, 10, 40].map(longestOutput)).toEqual([8, 10, 24, 72]);
});
