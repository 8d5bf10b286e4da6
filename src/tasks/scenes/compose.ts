import { OptionError } from "../../core/errors.ts";
import type { RandomStream } from "../../core/random.ts";
import type { BoundingBox } from "../../models/set/bounding-boxes.ts";
import type { ItemPool } from "./item-pool.ts";
import { paste } from "./paste.ts";

/** Pixels of a side of a scene. */
export const SCENE_SIDE = 64;

/**
 * How the items of a scene lie, by what is said of them in reading order: one item; A left of B; A above B; A left of a column
 * of B and C; A above a row of B and C; two rows of two.
 */
export type Arrangement = "one" | "row" | "column" | "left-of-column" | "above-row" | "square";

/** Something in a scene. */
export interface SceneItem {
  /** The number of its class in the pool, and its name. */
  readonly label: number;
  readonly name: string;
  /** The smallest box around its pixels that are not 0. */
  readonly box: BoundingBox;
  /** The number of its image in the pool. */
  readonly image: number;
}

/** Items on a black ground. */
export interface Scene {
  /** [SCENE_SIDE, SCENE_SIDE], 0 … 255. */
  readonly pixels: Uint8Array;
  /** In the order in which a caption names them. */
  readonly items: readonly SceneItem[];
  readonly arrangement: Arrangement;
}

export interface ComposeOptions {
  /** The fewest and the most items, 1 to 4. @default 1 and 4 */
  readonly least?: number;
  readonly most?: number;
}

/** Where an item may lie: left, top, right and bottom, as shares of the side. */
type Cell = readonly [left: number, top: number, right: number, bottom: number];

const ARRANGEMENTS: Readonly<Record<Arrangement, readonly Cell[]>> = {
  one: [[0, 0, 1, 1]],
  row: [
    [0, 0, 0.5, 1],
    [0.5, 0, 1, 1],
  ],
  column: [
    [0, 0, 1, 0.5],
    [0, 0.5, 1, 1],
  ],
  "left-of-column": [
    [0, 0.2, 0.5, 0.8],
    [0.5, 0, 1, 0.5],
    [0.5, 0.5, 1, 1],
  ],
  "above-row": [
    [0.2, 0, 0.8, 0.5],
    [0, 0.5, 0.5, 1],
    [0.5, 0.5, 1, 1],
  ],
  square: [
    [0, 0, 0.5, 0.5],
    [0.5, 0, 1, 0.5],
    [0, 0.5, 0.5, 1],
    [0.5, 0.5, 1, 1],
  ],
};
const NAMES = Object.keys(ARRANGEMENTS) as Arrangement[];

/** How far items of a row lie above or below each other, and those of a column beside each other, as a share of the side. */
const UNEVENNESS = 0.12;
const SMALLEST = 0.8;
/** How often an item is of the class of one that lies there already: chance alone would seldom give two. */
const SAME_CLASS = 0.25;

/**
 * A scene of items that do not overlap, 22 to 28 pixels large, every other one in a mirror. The same pool and random numbers give
 * the same scene on every machine.
 *
 * @throws OptionError OPTION
 * @example
 * const images = { count: 1, height: 28, width: 28, pixels: new Uint8Array(784).fill(9), labels: new Uint8Array(1) };
 * const scene = composeScene(ItemPool.of(images, [{ name: "bag", label: 0 }]), new RandomStream(1), { least: 2, most: 2 });
 * scene.items.map(({ name }) => name); // ["bag", "bag"]
 */
export function composeScene(
  pool: ItemPool,
  random: RandomStream,
  { least = 1, most = 4 }: ComposeOptions = {},
): Scene {
  checkCounts(least, most);
  const count = least + random.integer(most - least + 1);
  const fitting = NAMES.filter((name) => ARRANGEMENTS[name].length === count);
  const arrangement = fitting[random.integer(fitting.length)]!;
  const pixels = new Uint8Array(SCENE_SIDE ** 2);
  const items: SceneItem[] = [];
  const middle = [random.uniform(), random.uniform()] as const;
  for (const cell of ARRANGEMENTS[arrangement]) {
    const label = drawLabel(pool, items, random);
    const ofClass = pool.of(label);
    const image = ofClass[random.integer(ofClass.length)]!;
    const { height, width } = pool.images;
    const scale =
      ((SMALLEST + (1 - SMALLEST) * random.uniform()) * (SCENE_SIDE / 2 - 4)) / Math.max(height, width);
    const size = [Math.round(height * scale), Math.round(width * scale)] as const;
    const [left, top] = place(cell, size, middle, random);
    const isMirrored = random.integer(2) === 1;
    const box = paste(pixels, SCENE_SIDE, pool.images, { image, size, left, top, isMirrored });
    items.push({ label, name: pool.classes[label]!.name, box, image });
  }
  return { pixels, items, arrangement };
}

function checkCounts(least: number, most: number): void {
  const isCount = (n: number) => Number.isInteger(n) && n >= 1 && n <= 4;
  if (isCount(least) && isCount(most) && least <= most) return;
  const rule = "least and most must be integers from 1 to 4, least first";
  const fault = { op: "composeScene", rule, got: `${least} and ${most}` };
  throw new OptionError("OPTION", { ...fault, remedy: "choose others" });
}

function drawLabel(pool: ItemPool, before: readonly SceneItem[], random: RandomStream): number {
  if (before.length > 0 && random.uniform() < SAME_CLASS) return before[random.integer(before.length)]!.label;
  return random.integer(pool.classes.length);
}

/** The corner of an item in its cell; along an axis that the cell fills, near the `middle` that the items share. */
function place(
  [left, top, right, bottom]: Cell,
  [height, width]: readonly [number, number],
  [x, y]: readonly [number, number],
  random: RandomStream,
): [left: number, top: number] {
  const along = (from: number, to: number, size: number, shared: number) => {
    const room = (to - from) * SCENE_SIDE - size;
    const jitter = (2 * random.uniform() - 1) * UNEVENNESS * SCENE_SIDE;
    const at = to - from === 1 ? shared * room + jitter : random.uniform() * room;
    return Math.round(from * SCENE_SIDE + Math.min(room, Math.max(0, at)));
  };
  return [along(left, right, width, x), along(top, bottom, height, y)];
}
