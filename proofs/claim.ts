import { FileError } from "../src/core/errors.ts";
import { locateImages } from "../src/data/labelled-images.ts";

/** What a metric must reach for a claim to hold. */
export interface Threshold {
  metric: string;
  atLeast?: number;
  atMost?: number;
}

/** Something heed says about learning or time, with the run that shows it. `npm run prove` runs them. */
export interface Claim {
  /** `<task>/<variant>`, unique. */
  name: string;
  /** One sentence that the thresholds make exact. */
  claim: string;
  thresholds: readonly Threshold[];
  /** Whether it is one of the short ones: `npm run prove -- --quick` and the tests run these. */
  quick: boolean;
  /** Why it cannot be measured here, such as data that were not fetched; undefined where it can. */
  missing?(): string | undefined;
  /** Metrics by name, those of the thresholds among them; `onProgress` is called with the share done, 0 … 1. */
  measure(onProgress: (share: number) => void): Promise<Metrics>;
}

export type Metrics = Record<string, number>;

/** The seeds of what is claimed of three trainings: their worst. */
export const SEEDS = [1, 2, 3];

/** Says that images are not there, as `missing` of a claim. */
export function missingImages(name: string): string | undefined {
  try {
    locateImages(name);
    return undefined;
  } catch (error) {
    if (error instanceof FileError) return error.message;
    throw error;
  }
}

/** Whether a metric reaches its threshold; one that is missing or NaN reaches none. */
export function passes(
  value: number | undefined,
  { atLeast = -Infinity, atMost = Infinity }: Threshold,
): boolean {
  return value !== undefined && value >= atLeast && value <= atMost;
}

/** `≥ 0.95`, `≤ 0.9`, or both. */
export function boundOf({ atLeast, atMost }: Threshold): string {
  const bounds = [];
  if (atLeast !== undefined) bounds.push(`≥ ${atLeast}`);
  if (atMost !== undefined) bounds.push(`≤ ${atMost}`);
  return bounds.join(", ");
}

/** Runs the parts of a measurement one after the other; each reports its own share of the progress. */
export function part(onProgress: (share: number) => void, at: number, parts: number) {
  return (share: number) => onProgress((at + share) / parts);
}

/** The metrics of several seeds as one: the worst of each, which for those in `less` is the largest. */
export async function worstOf(
  seeds: readonly number[],
  less: readonly string[],
  run: (seed: number, onProgress: (share: number) => void) => Promise<object>,
  onProgress: (share: number) => void,
): Promise<Metrics> {
  const worst: Metrics = {};
  for (const [at, seed] of seeds.entries()) {
    const metrics: Metrics = { ...(await run(seed, part(onProgress, at, seeds.length))) };
    for (const [name, value] of Object.entries(metrics)) {
      const pick = less.includes(name) ? Math.max : Math.min;
      worst[name] = name in worst ? pick(worst[name]!, value) : value;
    }
  }
  return worst;
}
