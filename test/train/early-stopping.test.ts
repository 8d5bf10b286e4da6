import { expect, it } from "vitest";
import { EarlyStopping } from "../../src/train/early-stopping.ts";

it("stops when the best has not been beaten for `patience` evaluations in a row", () => {
  const stopping = new EarlyStopping({ patience: 2 });
  const seen = [3, 2, 4, 4, 1].map((score, i) => [stopping.update(score, 10 * i), stopping.shouldStop]);
  expect(seen).toEqual([
    [true, false],
    [false, false],
    [true, false],
    [false, false],
    [false, true],
  ]);
  expect(stopping.best).toEqual({ score: 4, step: 20 });
});

it("looks for the lowest score with mode min, and asks for more than minDelta", () => {
  const stopping = new EarlyStopping({ patience: 9, mode: "min", minDelta: 0.5 });
  expect([2, 1.5, 1.49, 5].map((score, i) => stopping.update(score, i))).toEqual([true, false, true, false]);
  expect(stopping.best).toEqual({ score: 1.49, step: 2 });
});

it("never takes a score that is not finite for the best, and stops on a row of them", () => {
  const stopping = new EarlyStopping({ patience: 3 });
  expect([Number.NaN, Infinity, -Infinity].map((score, i) => stopping.update(score, i))).toEqual([
    false,
    false,
    false,
  ]);
  expect([stopping.best, stopping.shouldStop]).toEqual([null, true]);
});

it("goes on from its state as if never interrupted, through JSON", () => {
  const scores = [1, 3, 2, 2.5, 3.5, 3, 3, 3];
  for (let cut = 0; cut <= scores.length; cut++) {
    const whole = new EarlyStopping({ patience: 3 });
    let parted = new EarlyStopping({ patience: 3 });
    scores.forEach((score, i) => {
      if (i === cut) parted = new EarlyStopping({ patience: 3 }, JSON.parse(JSON.stringify(parted.state)));
      expect(parted.update(score, i)).toBe(whole.update(score, i));
      expect(parted.shouldStop).toBe(whole.shouldStop);
      expect(parted.state).toEqual(whole.state);
    });
  }
});

it("refuses a patience below 1", () => {
  expect(() => new EarlyStopping({ patience: 0 })).toThrow(
    "EarlyStopping: patience must be a number from 1, got 0; pass another value",
  );
});
