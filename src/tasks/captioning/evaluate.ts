import { unevenness } from "../../models/show-attend-and-tell/doubly-stochastic.ts";
import { scenePixels, scenesAt } from "../scenes/batches.ts";
import { massInside } from "../scenes/cells.ts";
import type { Scene } from "../scenes/compose.ts";
import { GRID_SIZE } from "../scenes/grid/scene-grid.ts";
import type { ItemPool } from "../scenes/item-pool.ts";
import { captionOf } from "../scenes/relations.ts";
import type { Caption, CaptionOptions } from "./captioner.ts";

/** How well scenes are captioned. */
export interface Evaluation {
  scenes: number;
  /** The share of captions that are right word for word. */
  exact: number;
  /** The same of scenes of one, two, three and four items; NaN where there are none. */
  exactByItems: number[];
  /** How many nouns were right: the n-th noun that was said is the name of the n-th item. */
  nouns: number;
  /** The mean share of the map of a right noun that lies inside the item's box. */
  massInside: number;
  /**
   * The same of what the noun and the word before it, "a", read together: Σ_t β_t α_t over both, by their gates. A decoder can
   * read an item at "a" and carry what it saw to the noun.
   */
  phraseInside: number;
  /** Mean Σ_i (1 − Σ_t α_ti)² of a caption, over the words that were said. */
  unevenness: number;
  seconds: number;
}

/** Of the scenes that models are scored on: always the same. */
const EVALUATION_SEED = 0;
const BATCH_SCENES = 100;
const MOST_ITEMS = 4;

/** Captions `count` scenes of the items of a split, always the same ones, and compares. */
export function evaluate(
  captioner: { caption(pixels: Uint8Array, options?: CaptionOptions): Caption[] },
  items: ItemPool,
  count: number,
  options: CaptionOptions = {},
): Evaluation {
  const tally = new Tally(items.names);
  let seconds = 0;
  for (let from = 0; from < count; from += BATCH_SCENES) {
    const scenes = scenesAt(items, EVALUATION_SEED, from, Math.min(BATCH_SCENES, count - from));
    const pixels = scenePixels(scenes);
    const begun = performance.now();
    const captions = captioner.caption(pixels, options);
    seconds += (performance.now() - begun) / 1000;
    for (const [n, scene] of scenes.entries()) tally.add(scene, captions[n]!);
  }
  return { ...tally.result(), seconds };
}

/** The sums over scenes. */
export class Tally {
  readonly #names: ReadonlySet<string>;
  readonly #right = new Array<number>(MOST_ITEMS).fill(0);
  readonly #all = new Array<number>(MOST_ITEMS).fill(0);
  #nouns = 0;
  #mass = 0;
  #phrase = 0;
  #uneven = 0;

  /** @param names the words of captions that are nouns */
  constructor(names: readonly string[]) {
    this.#names = new Set(names);
  }

  add(scene: Scene, { words, weights, gates }: Pick<Caption, "words" | "weights" | "gates">): void {
    const { items } = scene;
    this.#all[items.length - 1]!++;
    if (words.join(" ") === captionOf(scene).join(" ")) this.#right[items.length - 1]!++;
    const nouns = words.flatMap((word, t) => (this.#names.has(word) ? [t] : []));
    for (const [n, t] of nouns.entries()) {
      if (items[n]?.name !== words[t]) continue;
      this.#nouns++;
      const { box } = items[n]!;
      this.#mass += massInside(weights[t]!, GRID_SIZE, box);
      const phrase = weights[t]!.map(
        (share, i) => gates[t]! * share + (gates[t - 1] ?? 0) * (weights[t - 1]?.[i] ?? 0),
      );
      this.#phrase += massInside(phrase, GRID_SIZE, box);
    }
    this.#uneven += unevenness(weights);
  }

  result(): Omit<Evaluation, "seconds"> {
    const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0);
    const scenes = sum(this.#all);
    return {
      scenes,
      exact: sum(this.#right) / scenes,
      exactByItems: this.#right.map((right, n) => right / this.#all[n]!),
      nouns: this.#nouns,
      massInside: this.#nouns > 0 ? this.#mass / this.#nouns : 0,
      phraseInside: this.#nouns > 0 ? this.#phrase / this.#nouns : 0,
      unevenness: this.#uneven / scenes,
    };
  }
}
