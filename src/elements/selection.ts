/** A cell that stays marked. */
export interface Pin {
  readonly query: number;
  readonly key: number;
}

/** Where a reader looks. */
export interface Selection extends Pin {
  readonly layer: number;
  readonly head: number;
  /** Read by key: who attends to the key, instead of what the query attends to. */
  readonly byKey: boolean;
  readonly pins: readonly Pin[];
}

/** The most cells that can be pinned at once. */
export const MOST_PINS = 8;

/** One selection for several views: each writes it, and is called when others did. */
export class SelectionStore {
  #value: Selection = { layer: 0, head: 0, query: 0, key: 0, byKey: false, pins: [] };
  readonly #listeners = new Set<() => void>();

  get value(): Selection {
    return this.#value;
  }

  /** Changes a part, and calls every listener unless nothing is new. */
  set(part: Partial<Selection>): void {
    const names = Object.keys(part) as (keyof Selection)[];
    if (names.every((name) => part[name] === this.#value[name])) return;
    this.#value = { ...this.#value, ...part };
    for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` after every change; returns what ends that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** The pins with one more, or one less where that cell is pinned already; undefined where there is no room. */
export function togglePin(pins: readonly Pin[], { query, key }: Pin): readonly Pin[] | undefined {
  const others = pins.filter((pin) => pin.query !== query || pin.key !== key);
  if (others.length < pins.length) return others;
  return pins.length < MOST_PINS ? [...pins, { query, key }] : undefined;
}
