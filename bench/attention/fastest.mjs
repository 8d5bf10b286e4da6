/** The fastest of the routes by which a peer can compute a case. */
import { charged, seconds } from "../measure.mjs";

/** @import { Prepared } from "../contender.mjs" */

/** How long a route is tried, at least one call after the first. */
const TRY_SECONDS = 0.1;
/** A route whose first call, compilation included, takes so much longer than the best one is not tried again. */
const HOPELESS = 6;

/** The least time of a call, Infinity where the first one is hopeless. */
async function tried(
  /** @type {Prepared} */ { run },
  /** @type {number} */ record,
  /** @type {number} */ threads,
) {
  if (charged(await seconds(run), 1, threads) > HOPELESS * record) return Infinity;
  let time = Infinity;
  for (let spent = 0; spent < TRY_SECONDS; ) {
    const one = await seconds(run);
    time = Math.min(time, charged(one, 1, threads));
    spent += one.wall;
  }
  return time;
}

/**
 * Tries every route, the likely ones first, keeps the fastest and disposes of the others. One that fails is left out.
 *
 * @param {(() => Promise<Prepared> | Prepared)[]} routes
 * @param {number} threads
 */
export async function fastest(routes, threads) {
  let best;
  let record = Infinity;
  /** @type {unknown} */
  let failure = new Error("no route");
  for (const route of routes) {
    try {
      const candidate = await route();
      const time = await tried(candidate, record, threads);
      const loser = time < record ? best : candidate;
      if (time < record) [best, record] = [candidate, time];
      await loser?.dispose?.();
    } catch (error) {
      failure = error;
    }
  }
  if (!best) throw failure;
  return best;
}
