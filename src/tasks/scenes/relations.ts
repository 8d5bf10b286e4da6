import type { Arrangement, Scene } from "./compose.ts";

/** How one item lies to another. */
export type RelationName = "left of" | "above";

/** Item `subject` lies so to item `object`; both are numbers of `scene.items`. */
export interface Relation {
  readonly subject: number;
  readonly relation: RelationName;
  readonly object: number;
}

const left = (subject: number, object: number): Relation => ({ subject, relation: "left of", object });
const above = (subject: number, object: number): Relation => ({ subject, relation: "above", object });

const RELATIONS: Readonly<Record<Arrangement, readonly Relation[]>> = {
  one: [],
  row: [left(0, 1)],
  column: [above(0, 1)],
  "left-of-column": [left(0, 1), left(0, 2), above(1, 2)],
  "above-row": [above(0, 1), above(0, 2), left(1, 2)],
  square: [left(0, 1), left(2, 3), above(0, 2), above(1, 3)],
};

/** What is said between neighbours of a caption. */
const BETWEEN: Readonly<Record<Arrangement, readonly RelationName[]>> = {
  one: [],
  row: ["left of"],
  column: ["above"],
  "left-of-column": ["left of", "above"],
  "above-row": ["above", "left of"],
  square: ["left of", "above", "left of"],
};

/** How the items of a scene lie to each other; of a square, rows and columns but not diagonals. */
export const relationsOf = ({ arrangement }: Scene): readonly Relation[] => RELATIONS[arrangement];

/**
 * The caption of a scene, word by word: `["a", "sneaker", "left", "of", "a", "coat", "above", "a", "bag"]`.
 *
 *     one A · A left of B · A above B · A left of B above C · A above B left of C · A left of B above C left of D
 *
 * Symbols: of three, the first lies beside the two others together; of four, the second relation is between the rows.
 */
export function captionOf({ items, arrangement }: Scene): string[] {
  const between = BETWEEN[arrangement];
  return items.flatMap(({ name }, n) => [...(n > 0 ? between[n - 1]!.split(" ") : []), "a", name]);
}
