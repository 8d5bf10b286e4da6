import type { Restriction } from "../../../models/seq2seq/beam.ts";
import { forbiddenNext } from "../text/guards.ts";

/** What a translation owes to its source. */
export interface Debts {
  /** The piece that ends an output. */
  readonly end: number;
  /** Ids of placeholders. */
  readonly placeholders: ReadonlySet<number>;
  /** The most times that a phrase may stand in a row. */
  readonly mostRepeats: number;
  /** Placeholders may be left out. */
  readonly isLenient: boolean;
}

/**
 * A translation has every placeholder of its source, none more often than the source and no other; it does not end before
 * it has (a lenient one may), and it does not go round in circles.
 */
export class OutputRules implements Restriction {
  readonly #debts: Debts;
  /** Placeholder → how often it may still come. */
  readonly #left: ReadonlyMap<number, number>;
  /** Placeholders that have not come yet. */
  readonly #missing: number;
  readonly #written: readonly number[];
  #forbidden: Set<number> | undefined;

  private constructor(
    debts: Debts,
    left: ReadonlyMap<number, number>,
    missing: number,
    written: readonly number[],
  ) {
    this.#debts = debts;
    this.#left = left;
    this.#missing = missing;
    this.#written = written;
  }

  static of(source: readonly number[], debts: Debts): OutputRules {
    const left = new Map<number, number>();
    for (const id of source) if (debts.placeholders.has(id)) left.set(id, (left.get(id) ?? 0) + 1);
    return new OutputRules(debts, left, debts.isLenient ? 0 : left.size, []);
  }

  allows(id: number): boolean {
    const { end, placeholders, mostRepeats } = this.#debts;
    if (id === end) return this.#missing <= 0;
    if (placeholders.has(id)) return (this.#left.get(id) ?? 0) > 0;
    this.#forbidden ??= forbiddenNext(this.#written, { most: mostRepeats });
    return !this.#forbidden.has(id);
  }

  after(id: number): OutputRules {
    const written = [...this.#written, id];
    const owed = this.#left.get(id);
    if (owed === undefined) return new OutputRules(this.#debts, this.#left, this.#missing, written);
    const isFirst = !this.#written.includes(id);
    const left = new Map(this.#left).set(id, owed - 1);
    return new OutputRules(this.#debts, left, this.#missing - Number(isFirst), written);
  }
}
