import { DataError } from "../../core/errors.ts";

/** The characters that a model knows, by their numbers. */
export class Characters {
  readonly list: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;

  constructor(list: readonly string[]) {
    this.list = list;
    this.#ids = new Map(list.map((character, id) => [character, id]));
  }

  get size(): number {
    return this.list.length;
  }

  /** @throws DataError UNKNOWN where a character is not among them */
  encode(op: string, text: string): Int32Array {
    const ids = Array.from(text, (character) => this.#ids.get(character) ?? character);
    const other = ids.find((id) => typeof id === "string");
    if (other === undefined) return Int32Array.from(ids as number[]);
    throw new DataError("UNKNOWN", {
      op,
      rule: `every character must be one of the ${this.size} that the model was trained on`,
      got: JSON.stringify(other),
      remedy: "leave it out or write it otherwise",
      known: [...this.list],
    });
  }

  decode(ids: Iterable<number>): string {
    return Array.from(ids, (id) => this.list[id]).join("");
  }
}
