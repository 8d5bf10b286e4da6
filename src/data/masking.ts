import { checkCount } from "../core/check-options.ts";
import { OptionError } from "../core/errors.ts";
import { outOfRange } from "../core/faults.ts";
import type { RandomStream } from "../core/random.ts";

export interface MaskingOptions {
  /** Decides which pieces, and what stands there; a stream for each step gives each step its own. */
  random: RandomStream;
  /** Number of ids, V. */
  vocabulary: number;
  /** The id of [MASK]. */
  mask: number;
  /** Ids that are never chosen and never put in: padding, [CLS], [SEP]; [MASK] is one of them unsaid. @default none */
  special?: readonly number[];
  /** Share of the other pieces that are chosen, above 0 and at most 1. @default 0.15 */
  share?: number;
  /** Share of the chosen that become [MASK], 0 … 1. @default 0.8 */
  masked?: number;
  /** Share of the chosen that become a random piece, 0 … 1 − masked; what is left stays as it is. @default 0.1 */
  replaced?: number;
}

export interface MaskedPieces {
  /** What the model reads. */
  ids: Int32Array;
  /** What it is to say: the piece that stood at a chosen place, −1 elsewhere, as `tokenLoss` reads them. */
  labels: Int32Array;
}

/**
 * Hides pieces of a batch for masked-language training: a model is to say what stood there.
 *
 *     n = the pieces that are not special,    m = max(1, round(share · n)) of them chosen, each set equally likely
 *     round(masked · m) become [MASK],    round(replaced · m) a random piece,    the others stay;    labels −1 elsewhere
 *
 * Shapes: ids of any length, a padded batch row by row, → ids and labels of that length.
 * Conventions: the shares are exact in every batch, not only in the mean, and m counts over the batch: the paper's code
 * counts in each sequence and draws each piece's fate. A random piece is any that is not special, so it may be the
 * piece itself. The same stream, at the same position, hides the same pieces on every machine. A batch of special
 * pieces alone is left as it is.
 * Cost: O(ids). Paper: Devlin et al. 2019, §3.1 and A.1, arxiv.org/abs/1810.04805.
 *
 * @throws OptionError OPTION
 * @example
 * const random = new RandomStream(1);
 * const { ids, labels } = maskPieces([1, 7, 8, 9, 2, 0], { random, vocabulary: 10, mask: 3, special: [0, 1, 2] });
 * labels.filter((label) => label >= 0).length; // 1
 */
export function maskPieces(pieces: ArrayLike<number>, options: MaskingOptions): MaskedPieces {
  const { random, vocabulary, mask, share = 0.15, masked = 0.8, replaced = 0.1 } = options;
  const special = new Set(options.special).add(mask);
  check(pieces, special, { ...options, share, masked, replaced });
  const ids = Int32Array.from(pieces);
  const labels = new Int32Array(ids.length).fill(-1);
  const order = random.shuffle(Int32Array.from(ids.keys()).filter((at) => !special.has(ids[at]!)));
  const chosen = order.subarray(0, Math.max(1, Math.round(share * order.length)));
  const hidden = Math.round(masked * chosen.length);
  const changed = Math.min(chosen.length, hidden + Math.round(replaced * chosen.length));
  for (const [rank, at] of chosen.entries()) {
    labels[at] = ids[at]!;
    if (rank < hidden) ids[at] = mask;
    else if (rank < changed) ids[at] = anyPiece(random, vocabulary, special);
  }
  return { ids, labels };
}

function anyPiece(random: RandomStream, vocabulary: number, special: ReadonlySet<number>): number {
  let id = random.integer(vocabulary);
  while (special.has(id)) id = random.integer(vocabulary);
  return id;
}

function check(
  pieces: ArrayLike<number>,
  special: ReadonlySet<number>,
  {
    vocabulary,
    share,
    masked,
    replaced,
  }: MaskingOptions & { share: number; masked: number; replaced: number },
): void {
  const op = "maskPieces";
  const must = (name: string, rule: string, got: unknown, holds: boolean) => {
    if (!holds) throw new OptionError("OPTION", outOfRange({ op, name, rule, got }));
  };
  checkCount(op, "vocabulary", vocabulary);
  for (const id of special) checkCount(op, "mask and every id of special", id, 0, vocabulary - 1);
  must("special", "fewer ids than the vocabulary has", `all ${vocabulary}`, special.size < vocabulary);
  must("share", "a number above 0, at most 1", share, share > 0 && share <= 1);
  must("masked", "a number from 0 to 1", masked, masked >= 0 && masked <= 1);
  // 1 − 0.9 is less than 0.1 in floating point.
  const most = 1 - masked;
  must("replaced", "a number from 0 to 1 − masked", replaced, replaced >= 0 && replaced <= most + 1e-9);
  for (let at = 0; at < pieces.length; at++) checkCount(op, "every piece", pieces[at], 0, vocabulary - 1);
}
