import { checkCount } from "../../core/check-options.ts";
import { DataError } from "../../core/errors.ts";

/** What every importer takes. */
export interface ImportOptions {
  /**
   * Takes the numbers for scores before the softmax: each row becomes its softmax over the keys that its query may see,
   * −∞ hides a key. @default false
   */
  readonly softmax?: boolean;
  /** The most memory that reading may take, in bytes. @default 2³⁰, or 8 for each byte of a larger file */
  readonly mostBytes?: number;
}

const LEAST_DEFAULT = 2 ** 30;
const PER_BYTE = 8;

/** The memory that reading one file may take: what is asked for is counted before it is made. */
export class Allowance {
  readonly #most: number;
  #taken = 0;

  /** @param fileBytes a file may always take some times its own size */
  constructor(fileBytes: number, mostBytes?: number) {
    if (mostBytes !== undefined) checkCount("importTrace", "mostBytes", mostBytes);
    this.#most = mostBytes ?? Math.max(LEAST_DEFAULT, PER_BYTE * fileBytes);
  }

  /** @throws DataError LIMIT */
  take(op: string, place: string, bytes: number): void {
    this.#taken += bytes;
    if (this.#taken <= this.#most) return;
    const rule = `${place} must take at most ${this.#most} bytes of memory to read`;
    const remedy = "raise mostBytes (--most-bytes) where there is room, or save less in one file";
    throw new DataError("LIMIT", { op, rule, got: `about ${Math.ceil(this.#taken)}`, remedy, place });
  }
}
