import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { KeyValueCache as ArrayCache, init } from "../../src/kernels/index.ts";
import { KeyValueCache, llama, Transformer } from "../../src/models/transformer/index.ts";
import type { Metrics } from "../claim.ts";
import { prepare } from "../descend.ts";
import { medianOf } from "../statistics.ts";
import { clock } from "../time/clock.ts";

const LONGEST = 8192;
/** Passes over all lengths: so many at least, and so many at most. */
const [LEAST_PASSES, MOST_PASSES] = [4, 16];
/** A pass more is made while the greatest jump is beyond this: what is left then may still be the machine's. */
const ALLOWED_JUMP = 0.1;
/** Steps on each side of a jump, and those that a point of the line is the median of. */
const [SIDE, BLOCK] = [32, 64];

/** Decodes one token after the other. A step over n keys may be too short for the clock: it says how often it was made. */
interface Decoder {
  step(n: number): number;
  dispose(): void;
}

/** A decoder with rotary positions; a cache that is told no capacity doubles its rows seven times on the way. */
function transformer(capacity?: number): Decoder {
  const sizes = { layers: 2, width: 128, heads: 2, inner: 256, vocabulary: 32 };
  const model = new Transformer(llama(sizes), 1);
  const cache = new KeyValueCache(model, capacity === undefined ? {} : { capacity });
  const tokens = tf.tensor2d([[7]], [1, 1], "int32");
  return {
    step: () => {
      tf.tidy(() => void model.logits(model.decode({ tokens }, { cache })).dataSync());
      return 1;
    },
    dispose: () => {
      cache.dispose();
      model.dispose();
      tokens.dispose();
    },
  };
}

/** The cache of typed arrays alone: a token is appended and attends to all, several times where these are few. */
function arrays(): Decoder {
  const sizes = { H: 8, D: 64 };
  const cache = new ArrayCache(sizes, { capacity: LONGEST });
  const random = new RandomStream(1);
  const [q, k, v] = [0, 1, 2].map(() => Float32Array.from({ length: 512 }, () => random.normal()));
  return {
    step: (n) => {
      const times = Math.min(64, Math.ceil(1024 / n));
      cache.append(k!, v!);
      for (let t = 0; t < times; t++) cache.attend(q!);
      return times;
    },
    dispose: () => cache.dispose(),
  };
}

const DECODERS: Record<string, () => Decoder> = {
  transformer: () => transformer(LONGEST),
  doubling: () => transformer(),
  arrays,
};
/** Those that take their memory once. */
const HELD = ["transformer", "arrays"];

/**
 * The time of each step of decoding against S = 1 … 8192 keys, and by how much it jumps.
 *
 * Noise. A step takes a fraction of a millisecond, and what else a machine does, or a collection of garbage, adds to one or
 * another of them: it never takes away. So all lengths are gone through several times, the decoders taking turns, with a cache
 * that begins anew each time, and the time of a length is the least of its passes, of the clock on the wall or of the
 * processor, whichever says less. A jump that is the decoder's own recurs at the same length in every pass and stays in the
 * least; one that is the machine's is gone after some passes. Hence passes are added, up to 16, while a jump of more
 * than a tenth is left.
 *
 * A jump is by how much the median of 32 steps from a length on lies above that of the 32 before, beyond what the straight line
 * through the medians of 64 steps adds on the way, as a share. A step that is slow alone is no jump: where the cache takes its
 * memory once nothing happens in one step alone, and where it doubles its rows `doublingSlowest` tells how much longer the
 * slowest of these steps takes than those around it.
 * Metrics: `<decoder>Jump`, the length at which it is (`…At`), and the line: `…Base` ms and `…PerThousand` ms a thousand keys, with
 * the greatest share by which a median is off the line (`…OffLine`), which tells of caches of the machine that are full.
 */
export async function decodingTime(onProgress: (share: number) => void): Promise<Metrics> {
  await prepare();
  await init();
  const least = Object.fromEntries(
    Object.keys(DECODERS).map((name) => [name, new Array<number>(LONGEST).fill(Infinity)]),
  );
  let passes = 0;
  for (; passes < MOST_PASSES; passes++) {
    if (passes >= LEAST_PASSES && HELD.every((name) => jumpsOf(least[name]!).jump <= ALLOWED_JUMP)) break;
    for (const [name, make] of Object.entries(DECODERS)) pass(make(), least[name]!);
    onProgress((passes + 1) / MOST_PASSES);
  }
  const metrics: Metrics = { passes };
  for (const [name, times] of Object.entries(least)) {
    const { jump, at, base, slope, offLine } = jumpsOf(times);
    Object.assign(metrics, {
      [`${name}Jump`]: jump,
      [`${name}At`]: at,
      [`${name}Base`]: base,
      [`${name}PerThousand`]: 1000 * slope,
      [`${name}OffLine`]: offLine,
    });
  }
  metrics.doublingSlowest = slowestDoubling(least.doubling!);
  return metrics;
}

/** How much longer the first step beyond 64, 128 … rows takes than the median of those around it, as a share. */
function slowestDoubling(times: readonly number[]): number {
  let slowest = 0;
  for (let rows = 64; rows < LONGEST; rows *= 2) {
    const around = medianOf(times.slice(rows - SIDE, rows + SIDE));
    slowest = Math.max(slowest, times[rows]! / around - 1);
  }
  return slowest;
}

function pass(decoder: Decoder, least: number[]): void {
  try {
    for (let n = 0; n < LONGEST; n++) {
      const [wall, own] = [performance.now(), clock()];
      const times = decoder.step(n + 1);
      const spent = Math.min(performance.now() - wall, clock() - own) / times;
      least[n] = Math.min(least[n]!, spent);
    }
  } finally {
    decoder.dispose();
  }
}

/** The line through times of S = 1, 2, …, and the greatest jump away from it. */
export function jumpsOf(times: readonly number[]) {
  const points = Array.from({ length: Math.floor(times.length / BLOCK) }, (_, n) => ({
    x: n * BLOCK + BLOCK / 2,
    y: medianOf(times.slice(n * BLOCK, (n + 1) * BLOCK)),
  }));
  const mean = (of: (p: { x: number; y: number }) => number) =>
    points.reduce((sum, p) => sum + of(p), 0) / points.length;
  const [x, y] = [mean((p) => p.x), mean((p) => p.y)];
  const slope = mean((p) => (p.x - x) * (p.y - y)) / mean((p) => (p.x - x) ** 2);
  const base = y - slope * x;
  const offLine = points.reduce((most, p) => Math.max(most, Math.abs(p.y / (base + slope * p.x) - 1)), 0);
  let [jump, at] = [0, 0];
  for (let n = SIDE; n + SIDE <= times.length; n++) {
    const before = medianOf(times.slice(n - SIDE, n));
    // Few keys cannot take longer than in proportion, whatever the caches of the machine do to the line later.
    const growth = SIDE * Math.min(slope, before / n);
    const own = medianOf(times.slice(n, n + SIDE)) / (before + growth) - 1;
    if (own > jump) [jump, at] = [own, n + 1];
  }
  return { jump, at, base, slope, offLine };
}
