/** A run: loads the contenders, checks each of them on each case, and times in turns those that were right. */
import { setTimeout as pause } from "node:timers/promises";
import { PEAK } from "./contenders.mjs";
import { callsOf, charged, interleave, median } from "./measure.mjs";
import { PEAK_FLOPS } from "./peak.mjs";
import { Process } from "./processes.mjs";

/** @import { Contender } from "./contenders.mjs" */
/** @typedef {{ contender: string, route: string, best: number, median: number, samples: number, calls: number }} Timing seconds a call */
/** @typedef {{ name: string, timings: Timing[], refused: Record<string, string> }} CaseResult */
/** @typedef {{ warm: number, sample: number, rounds: number, budget: number }} Limits seconds before the clock starts and of a sample, samples, seconds for a contender and case */

/** Between two samples, so that threads of the last one that still spin for more work go to sleep. */
const PAUSE_MS = 5;
const [PEAK_SAMPLES, PEAK_CALLS] = [3, 20];

const because = (/** @type {unknown} */ error) =>
  (error instanceof Error ? error.message : String(error)).split("\n")[0].slice(0, 200);

/** Starts everyone; who does not load is absent, with the reason. */
export async function startAll(/** @type {Contender[]} */ contenders) {
  /** @type {Record<string, string>} */
  const versions = {};
  /** @type {Record<string, string>} */
  const absent = {};
  /** @type {Process[]} */
  const present = [];
  for (const contender of contenders) {
    const process = new Process(contender);
    try {
      Object.assign(versions, (await process.ask("load", contender)).versions);
      present.push(process);
    } catch (error) {
      absent[contender.id] = because(error);
      process.stop();
    }
  }
  return { present, versions, absent };
}

/** The peak's process: measures in every round of the others, and knows the most Gflop/s that it has seen. */
async function startPeak() {
  const process = new Process(PEAK);
  await process.ask("load", PEAK);
  await process.ask("prepare", { name: PEAK.id, warm: 0 });
  let most = 0;
  const measure = async () => {
    for (let n = 0; n < PEAK_SAMPLES; n++) {
      const spent = await process.ask("time", { calls: PEAK_CALLS });
      most = Math.max(most, PEAK_FLOPS / charged(spent, PEAK_CALLS, 1) / 1e9);
    }
  };
  return { process, measure, most: () => most };
}

/**
 * @param {{ contenders: Contender[], cases: { name: string }[], limits: Limits, peak: boolean,
 *   checkOf: (c: any) => Promise<(output: Float32Array) => string | undefined> | ((output: Float32Array) => string | undefined),
 *   say: (line: string) => void }} options
 */
export async function runCases({ contenders, cases, limits, peak: wantsPeak, checkOf, say }) {
  const { present, versions, absent } = await startAll(contenders);
  for (const [id, reason] of Object.entries(absent)) say(`absent: ${id}: ${reason}`);
  const peak = wantsPeak ? await startPeak() : undefined;
  /** @type {CaseResult[]} */
  const results = [];
  try {
    for (const c of cases) {
      say(c.name);
      const { runners, refused } = await prepareAll(present, c, { limits, check: await checkOf(c), say });
      const samples = await interleave(runners, limits, peak?.measure);
      const timings = runners.map(({ contender, route, calls }, at) => ({
        ...{ contender, route, best: Math.min(...samples[at]), median: median(samples[at]) },
        ...{ samples: samples[at].length, calls },
      }));
      results.push({ name: c.name, timings, refused });
      for (const process of present) await process.ask("dispose").catch(() => {});
    }
  } finally {
    for (const process of present) process.stop();
    peak?.process.stop();
  }
  return { versions, absent, peak: peak?.most(), results };
}

/** Who gets a case right takes part in its rounds; the others are refused, with the reason. */
async function prepareAll(
  /** @type {Process[]} */ present,
  /** @type {{ name: string }} */ c,
  /** @type {{ limits: Limits, check: (output: Float32Array) => string | undefined, say: (line: string) => void }} */ options,
) {
  const runners = [];
  /** @type {Record<string, string>} */
  const refused = {};
  for (const process of present) {
    const { id, family, threads } = process.contender;
    try {
      const { refusal, route, output, call } = await process.ask("prepare", {
        name: c.name,
        warm: options.limits.warm,
      });
      // What only says how fast the machine is has checked itself.
      const reason = refusal ?? (family === "peak" ? undefined : options.check(output));
      if (reason) {
        refused[id] = reason;
        continue;
      }
      const calls = callsOf(call, options.limits.sample);
      const sample = async () => {
        await pause(PAUSE_MS);
        const spent = await process.ask("time", { calls });
        return { value: charged(spent, calls, threads), seconds: spent.wall * calls };
      };
      runners.push({ contender: id, route, calls, sample });
    } catch (error) {
      refused[id] = because(error);
    }
    if (refused[id]) options.say(`  ${id}: ${refused[id]}`);
  }
  return { runners, refused };
}
