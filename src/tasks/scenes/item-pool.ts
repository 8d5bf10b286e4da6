import { DataError } from "../../core/errors.ts";
import { listDatasets } from "../../data/catalog.ts";
import { imagesChecksum, type LabelledImages, readImages, readTraining } from "../../data/labelled-images.ts";

/** Classes of Fashion-MNIST in scenes: dress, pullover and shirt are too much like a coat and a t-shirt, for people too. */
export const SCENE_CLASSES = ["t-shirt", "trouser", "coat", "sandal", "sneaker", "bag", "boot"] as const;

/** Their numbers in Fashion-MNIST. */
const FASHION_LABELS = [0, 1, 4, 5, 7, 8, 9];

/** A kind of item: what it is called, and its number among the images. */
export interface ItemClass {
  readonly name: string;
  readonly label: number;
}

/** Images of items, by their class: what scenes are composed of. */
export class ItemPool {
  readonly images: LabelledImages;
  readonly classes: readonly ItemClass[];
  readonly #byClass: readonly Int32Array[];

  private constructor(images: LabelledImages, classes: readonly ItemClass[]) {
    this.images = images;
    this.classes = classes;
    const all = Array.from(images.labels);
    this.#byClass = classes.map(({ label }) =>
      Int32Array.from(all.flatMap((other, n) => (other === label ? [n] : []))),
    );
  }

  /**
   * The images of these classes, of which each must have one at least.
   *
   * @throws DataError SHAPE
   */
  static of(images: LabelledImages, classes: readonly ItemClass[]): ItemPool {
    const pool = new ItemPool(images, classes);
    const empty = classes.find((_, n) => pool.#byClass[n]!.length === 0);
    if (empty === undefined) return pool;
    const fault = { op: "ItemPool.of", rule: "every class must have an image", got: `none of ${empty.name}` };
    throw new DataError("SHAPE", { ...fault, remedy: "give more images, or leave the class out" });
  }

  get names(): string[] {
    return this.classes.map(({ name }) => name);
  }

  /** Numbers of the images of a class. */
  of(label: number): Int32Array {
    return this.#byClass[label]!;
  }
}

/** The items of each split, and `imagesChecksum` of the training images that they were cut from. */
export interface ItemPools {
  readonly train: ItemPool;
  readonly valid: ItemPool;
  readonly test: ItemPool;
  readonly checksum: string;
}

/**
 * Reads the four files of MNIST or one of its kin. Of Fashion-MNIST the classes are `SCENE_CLASSES`; of others all, by their
 * number.
 *
 * @throws FileError UNREADABLE · DataError FORMAT, DAMAGED, LIMIT, SHAPE, MISMATCH
 */
export function readItemPools(dataDir: string): ItemPools {
  const { train, valid } = readTraining(dataDir);
  const checksum = imagesChecksum(train);
  const known = listDatasets().find(({ splits }) => splits.train.sha256 === checksum);
  const classes = known?.name === "fashion-mnist" ? fashionClasses() : numbered(train);
  const [ofTrain, ofValid] = [train, valid].map((images) => ItemPool.of(images, classes));
  return {
    train: ofTrain!,
    valid: ofValid!,
    test: ItemPool.of(readImages(dataDir, "test"), classes),
    checksum,
  };
}

export const fashionClasses = (): ItemClass[] =>
  SCENE_CLASSES.map((name, n) => ({ name, label: FASHION_LABELS[n]! }));

const numbered = ({ labels }: LabelledImages): ItemClass[] =>
  [...new Set(labels)].sort((a, b) => a - b).map((label) => ({ name: String(label), label }));

/**
 * Checks that a detector knows the classes of these items, by the same numbers.
 *
 * @throws DataError MISMATCH
 */
export function checkItems(op: string, labels: readonly string[], { names }: Pick<ItemPool, "names">): void {
  if (labels.join() === names.join()) return;
  const rule = `the items must be those of the model, ${labels.join(", ")}`;
  const remedy = "give the data set that the model was trained on";
  throw new DataError("MISMATCH", { op, rule, got: names.join(", "), remedy });
}
