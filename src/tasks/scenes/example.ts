import { fileURLToPath } from "node:url";
import { RandomStream } from "../../core/random.ts";
import { readIdx } from "../../data/idx.ts";
import { composeScene, type Scene } from "./compose.ts";
import { fashionClasses, ItemPool } from "./item-pool.ts";

/** Four images of Fashion-MNIST's test part, which ship with heed. */
const IMAGES = fileURLToPath(
  new URL("../../../examples/data/fashion-mnist/four-images-idx3-ubyte.gz", import.meta.url),
);
/** Their numbers in Fashion-MNIST; the third is a dress, which scenes do not have. */
const LABELS = Uint8Array.of(9, 1, 3, 8);

/**
 * A scene of two to four items that ship with heed, for who has no picture: another one for each seed.
 *
 * @throws FileError UNREADABLE where heed was copied without its examples
 * @example
 * const { items } = exampleScene(1);
 * items.every(({ name }) => ["boot", "trouser", "bag"].includes(name)); // true
 */
export function exampleScene(seed: number): Scene {
  const { shape, data: pixels } = readIdx(IMAGES);
  const [count, height, width] = shape as [number, number, number];
  const images = { count, height, width, pixels, labels: LABELS };
  const classes = fashionClasses().filter(({ label }) => LABELS.includes(label));
  return composeScene(ItemPool.of(images, classes), new RandomStream(seed), { least: 2 });
}
