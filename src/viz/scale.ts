import { type AnyCells, VALUE } from "../inspect/cells.ts";
import { oneOf } from "./options.ts";
import { refuse } from "./refuse.ts";

/**
 * Which weights get the first and the last colour. `unit`: 0 and 1, so two maps can be compared. `data`: the
 * smallest and largest weight of this map, which the legend then says. `typical`: 0 and 1, or less where most queries
 * spread their weight over so many keys that all would be dark; the legend says that too. Or a pair of your own.
 *
 * @default "unit"
 */
export type Domain = "unit" | "data" | "typical" | readonly [low: number, high: number];

/**
 * How colours follow weights: `linear`, in proportion; `sqrt`, their square roots; `log`, their logarithms down to a
 * millionth of the largest. The last two show small weights apart, which fill the maps of many tokens.
 *
 * @default "linear"
 */
export const COLOR_SCALES = ["linear", "sqrt", "log"] as const;
export type ColorScale = (typeof COLOR_SCALES)[number];

/** Of the highest weight: on a logarithmic scale, what is less has the first colour. */
export const LOG_FLOOR = 1e-6;

/** Where `value` lies between the colours of `low` and `high`; 0 and 1 beyond them. */
export function colorPosition(value: number, low: number, high: number, scale?: ColorScale): number {
  if (scale === "log") {
    const floor = logFloor(low, high);
    return Math.log(Math.min(high, Math.max(floor, value)) / floor) / Math.log(high / floor);
  }
  const share = Math.max(0, Math.min(1, (value - low) / (high - low)));
  return scale === "sqrt" ? Math.sqrt(share) : share;
}

const logFloor = (low: number, high: number): number => Math.max(low, LOG_FLOOR * high);

export interface Scale {
  readonly low: number;
  readonly high: number;
  /** What the legend calls it. */
  readonly label: string;
  /** Where `value` lies between low and high; 0 and 1 beyond them. */
  readonly position: (value: number) => number;
  /** Round numbers for the legend, growing. */
  readonly marks: readonly number[];
}

/**
 * @throws OptionError OPTION when a pair is not finite and growing, or a scale other than linear has to show
 * negative numbers.
 */
export function makeScale(
  op: string,
  matrix: AnyCells,
  domain: Domain = "unit",
  value = "weight",
  colorScale: ColorScale = "linear",
): Scale {
  const [low, high] =
    domain === "unit"
      ? [0, 1]
      : domain === "data"
        ? range(matrix)
        : domain === "typical"
          ? [0, typicalHigh(rowMaxima(matrix))]
          : domain;
  if (!(Number.isFinite(low) && Number.isFinite(high) && low < high))
    refuse(
      op,
      "domain",
      "two finite numbers, low < high",
      `[${low}, ${high}]`,
      'pass [0, 1], or "data" for the range of this map',
    );
  oneOf(op, "colorScale", colorScale, COLOR_SCALES);
  if (colorScale !== "linear" && low < 0)
    refuse(
      op,
      "colorScale",
      "linear where weights may be negative",
      colorScale,
      "leave it out, or pass a domain from 0",
    );
  const isUnit = domain === "unit" || (domain === "typical" && high === 1);
  const pair = ` (${formatNumber(low)} to ${formatNumber(high)}${domain === "typical" ? " or more" : ""})`;
  const of = isUnit ? "" : domain === "data" ? " (scaled to this map)" : pair;
  return {
    low: colorScale === "log" ? logFloor(low, high) : low,
    high,
    label: `${value}${of}${colorScale === "linear" ? "" : `, ${colorScale} scale`}`,
    position: (value) => colorPosition(value, low, high, colorScale),
    marks: (colorScale === "log" && decades(logFloor(low, high), high)) || ticks(low, high),
  };
}

/** The powers of ten in a range; undefined where they are too few to read numbers by. */
function decades(low: number, high: number): number[] | undefined {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const count = Math.floor(Math.log10(high) + 1e-9) - first + 1;
  return count < 2 ? undefined : Array.from({ length: count }, (_, n) => Number(`1e${first + n}`));
}

/** A query whose strongest key has less than this share is too dark on the scale 0 to 1. */
const LEAST_SEEN = 0.2;

/**
 * Where the colours of the domain `typical` end, by the strongest weight of each query: at 1, or where most have none as
 * strong as 0.2, at their median, rounded up to one digit.
 */
export function typicalHigh(strongest: number[]): number {
  const typical = strongest.sort((a, b) => a - b)[strongest.length >> 1] ?? 1;
  if (typical >= LEAST_SEEN || typical <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(typical));
  return Number((Math.ceil(typical / power - 1e-6) * power).toPrecision(1));
}

/** The strongest weight of each row that has one. */
function rowMaxima({ rows, columns, values, kinds }: AnyCells): number[] {
  const maxima: number[] = [];
  for (let row = 0; row < rows; row++) {
    let most = -Infinity;
    for (let cell = row * columns; cell < (row + 1) * columns; cell++)
      if (kinds[cell] === VALUE && values[cell]! > most) most = values[cell]!;
    if (most > -Infinity) maxima.push(most);
  }
  return maxima;
}

/** The smallest and largest weight; widened where the map has only one value, so that low < high holds. */
function range({ values, kinds }: AnyCells): readonly [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let cell = 0; cell < values.length; cell++) {
    if (kinds[cell] !== VALUE) continue;
    low = Math.min(low, values[cell]!);
    high = Math.max(high, values[cell]!);
  }
  if (low > high) return [0, 1];
  return low < high ? [low, high] : [low - 0.5, low + 0.5];
}

const MOST_INTERVALS = 8;

/** Round numbers from low to high: three to nine of them, at steps of 1, 2 or 5 times a power of ten. */
export function ticks(low: number, high: number): number[] {
  const least = (high - low) / MOST_INTERVALS;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= least * (1 - 1e-9))!;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** At most three significant digits, no trailing zeros, never "-0": 0.25, 0.333, 1e-7. */
export function formatNumber(value: number): string {
  return String(Number(value.toPrecision(3)) || 0);
}
