import type { RandomStream } from "../../src/core/random.ts";

/** Patches of the sensor, pixels along the side of one, and time steps of a stream. */
export const [PATCHES, SIDE, STEPS] = [6, 4, 8];
/** Two polarities: brighter, then darker. */
export const EVENTS = 2 * SIDE * SIDE;
export const DIRECTIONS = ["right", "left", "down", "up"] as const;
/** How likely a pixel reports what is not there, in each step and polarity. */
const NOISE = 0.02;
/** Steps in which the flicker of another bar differs from that of the light, at least. */
const APART = 4;

export interface Streams {
  /** 1 where there is an event: [STEPS, count, PATCHES, EVENTS]. */
  readonly events: Float32Array;
  /** The direction of the bar that flickers with the light. */
  readonly labels: Int32Array;
}

/** Which steps are lit: half of them. */
type Flicker = readonly boolean[];

function drawFlicker(random: RandomStream): Flicker {
  const order = random.shuffle(Array.from({ length: STEPS }, (_, step) => step));
  return Array.from({ length: STEPS }, (_, step) => order.indexOf(step) < STEPS / 2);
}

function drawOther(random: RandomStream, light: Flicker): Flicker {
  let own = drawFlicker(random);
  while (own.filter((isLit, step) => isLit !== light[step]).length < APART) own = drawFlicker(random);
  return own;
}

/** Event of a pixel (row, column) of a patch, in one polarity: 0 brighter, 1 darker. */
const place = (row: number, column: number, polarity: number) => (polarity * SIDE + row) * SIDE + column;

export interface StreamOptions {
  /** The light flickers as one of the bars does; otherwise by itself, and nothing tells which bar is meant. @default true */
  inStep?: boolean;
}

/**
 * Streams of an event camera, made up. A light flickers in one patch, and in two others bars move, each in another of four
 * directions, each lit by a flicker of its own; that of one is the light's. A lit bar makes pixels brighter where it comes and
 * darker where it leaves, the light all of its patch brighter. Places, starts, flickers and stray events are by chance.
 */
export function drawStreams(
  random: RandomStream,
  count: number,
  { inStep = true }: StreamOptions = {},
): Streams {
  const events = new Float32Array(STEPS * count * PATCHES * EVENTS);
  const labels = new Int32Array(count);
  for (let b = 0; b < count; b++) {
    const order = random.shuffle(Array.from({ length: PATCHES }, (_, patch) => patch));
    const meant = drawFlicker(random);
    const light = inStep ? meant : drawFlicker(random);
    labels[b] = random.integer(DIRECTIONS.length);
    const patchAt = (step: number, patch: number) => {
      const from = ((step * count + b) * PATCHES + patch) * EVENTS;
      return events.subarray(from, from + EVENTS);
    };
    light.forEach((isLit, step) => {
      if (isLit) patchAt(step, order[0]!).fill(1, 0, SIDE * SIDE);
    });
    const other = (labels[b]! + 1 + random.integer(DIRECTIONS.length - 1)) % DIRECTIONS.length;
    for (const [at, direction] of [labels[b]!, other].entries()) {
      const flicker = at === 0 ? meant : drawOther(random, meant);
      const start = random.integer(SIDE);
      flicker.forEach((isLit, step) => {
        if (isLit) drawBar(patchAt(step, order[1 + at]!), direction, start + step);
      });
    }
  }
  for (let e = 0; e < events.length; e++) if (random.uniform() < NOISE) events[e] = 1;
  return { events, labels };
}

function drawBar(patch: Float32Array, direction: number, moved: number): void {
  const [isRow, isBack] = [direction >= 2, direction % 2 === 1];
  const wrapped = (n: number) => ((n % SIDE) + SIDE) % SIDE;
  const comes = wrapped(isBack ? -moved : moved);
  const leaves = wrapped(isBack ? comes + 1 : comes - 1);
  for (let along = 0; along < SIDE; along++) {
    const at = (line: number, polarity: number) =>
      isRow ? place(line, along, polarity) : place(along, line, polarity);
    patch[at(comes, 0)] = 1;
    patch[at(leaves, 1)] = 1;
  }
}
