import { RandomStream } from "../../core/random.ts";
import { type ComposeOptions, composeScene, SCENE_SIDE, type Scene } from "./compose.ts";
import type { ItemPool } from "./item-pool.ts";

/** Streams from here on belong to batches of scenes. */
const FIRST_STREAM = 2 ** 40;

/** Scenes number `n` … `n + count − 1` of a seed, each from a stream of its own. */
export function scenesAt(
  pool: ItemPool,
  seed: number,
  n: number,
  count: number,
  options: ComposeOptions = {},
): Scene[] {
  return Array.from({ length: count }, (_, i) =>
    composeScene(pool, new RandomStream(seed, FIRST_STREAM + n + i), options),
  );
}

/** The pixels of scenes, one after another: [scenes, SCENE_SIDE, SCENE_SIDE], 0 … 255. */
export function scenePixels(scenes: readonly Pick<Scene, "pixels">[]): Uint8Array {
  const pixels = new Uint8Array(scenes.length * SCENE_SIDE ** 2);
  for (const [n, scene] of scenes.entries()) pixels.set(scene.pixels, n * SCENE_SIDE ** 2);
  return pixels;
}
