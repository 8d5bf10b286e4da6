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

/** How many calls make a sample. */
export const callsOf = (/** @type {number} */ call, /** @type {number} */ sample) =>
  Math.max(1, Math.ceil(sample / call));

/** The samples that a runner gives even when they take longer than its time, unless one alone does. */
const LEAST_SAMPLES = 3;

/**
 * Takes turns: in each round every runner that has time left gives one sample, and the companion one of its own.
 *
 * @template T
 * @param {{ sample: () => Promise<{ value: T, seconds: number }> }[]} runners
 * @param {{ rounds: number, budget: number }} limits the most samples, and seconds, of a runner
 * @param {() => Promise<unknown>} [companion]
 * @returns {Promise<T[][]>}
 */
export async function interleave(runners, { rounds, budget }, companion) {
  const turns = runners.map(({ sample }) => ({ sample, values: /** @type {T[]} */ ([]), spent: 0 }));
  const goesOn = (/** @type {(typeof turns)[number]} */ { values: { length }, spent }) =>
    length < rounds && (spent < budget || (length < LEAST_SAMPLES && spent < budget * length));
  for (let playing = turns.filter(goesOn); playing.length > 0; playing = playing.filter(goesOn)) {
    await companion?.();
    for (const turn of playing) {
      const { value, seconds } = await turn.sample();
      turn.values.push(value);
      turn.spent += seconds;
    }
  }
  return turns.map(({ values }) => values);
}
