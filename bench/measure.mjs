/** Clocks, and rounds in which the contenders take turns. */
import { performance } from "node:perf_hooks";

/** @typedef {{ wall: number, cpu: number }} Spent seconds, by the clock on the wall and of all threads together */

/** What a call costs; a promise is waited for. @returns {Promise<Spent>} */
export async function seconds(/** @type {() => unknown} */ run) {
  const used = process.cpuUsage();
  const begin = performance.now();
  const answer = run();
  if (answer instanceof Promise) await answer;
  const wall = (performance.now() - begin) / 1e3;
  const { user, system } = process.cpuUsage(used);
  return { wall, cpu: (user + system) / 1e6 };
}

/** Below this the clock of the processor is too coarse. */
const COARSE_SECONDS = 5e-3;

/**
 * The time of a sample of `calls` calls. One thread that had to wait for the processor is charged what it computed,
 * not what a neighbour did meanwhile; more threads than one are charged the clock on the wall.
 */
export function charged(
  /** @type {Spent} */ { wall, cpu },
  /** @type {number} */ calls,
  /** @type {number} */ threads,
) {
  return threads === 1 && wall * calls >= COARSE_SECONDS ? Math.min(wall, cpu) : wall;
}

export function median(/** @type {number[]} */ values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** How many calls make a sample, and how many samples a contender gives: less of what takes long. */
export function plan(
  /** @type {number} */ call,
  /** @type {{ sample: number, rounds: number, budget: number }} */ limits,
) {
  const calls = Math.max(1, Math.ceil(limits.sample / call));
  const rounds = Math.round(limits.budget / (calls * call));
  return { calls, rounds: Math.max(call > limits.budget ? 1 : 3, Math.min(limits.rounds, rounds)) };
}

/**
 * Takes turns: in each round every runner that still has rounds left gives one sample.
 *
 * @template T
 * @param {{ rounds: number, sample: () => Promise<T> }[]} runners
 * @returns {Promise<T[][]>}
 */
export async function interleave(runners) {
  /** @type {T[][]} */
  const samples = runners.map(() => []);
  const most = Math.max(0, ...runners.map(({ rounds }) => rounds));
  for (let round = 0; round < most; round++) {
    for (const [at, { rounds, sample }] of runners.entries()) {
      if (round < rounds) samples[at].push(await sample());
    }
  }
  return samples;
}
