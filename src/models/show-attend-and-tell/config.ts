import { checkCount } from "../../core/check-options.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import type { PaddedBatch } from "../../data/batching.ts";
import { fieldCheck } from "../seq2seq/config.ts";

const OP = "ShowAttendAndTell";
const KINDS = ["soft", "hard"] as const;

/** A recurrent decoder that looks at a place of an image for each word it writes. */
export interface ShowAttendAndTellConfig {
  /** V, the words of the vocabulary, the four special ones included. */
  vocabulary: number;
  /** D, width of the annotation vectors: the channels of the image's features. */
  annotation: number;
  /** m, width of the embedding. */
  embedding: number;
  /** n, width of the LSTM's state. */
  decoder: number;
  /** A, width of the hidden layer of the score. */
  attention: number;
  /** Whether a word reads the weighted mean of all annotation vectors, or one of them that is drawn. */
  kind: (typeof KINDS)[number];
  /** Share of units dropped in training: of embeddings and of what predicts a word. */
  dropout: number;
  /**
   * p, the share of the steps of training whose LSTM is not fed what was read, by chance: their words come from what the step
   * itself reads. Later the LSTM is fed 1 − p of it. Without it a decoder reads a thing while it says "a", and nothing while
   * it names it.
   */
  contextDropout: number;
}

const SIZES = ["vocabulary", "annotation", "embedding", "decoder", "attention"] as const;
const SHARES = ["dropout", "contextDropout"] as const;

/** Refuses a configuration that is not one. @throws OptionError OPTION */
export function checkTellerConfig(config: ShowAttendAndTellConfig): void {
  for (const name of SIZES) checkCount(OP, name, config[name], name === "vocabulary" ? 5 : 1);
  const given: Record<string, unknown> = { ...config };
  const must = fieldCheck(OP, given);
  must("kind", `one of ${KINDS.join(", ")}`, (KINDS as readonly unknown[]).includes(config.kind));
  for (const name of SHARES) {
    const share = config[name];
    must(name, "a number from 0 to below 1", typeof share === "number" && share >= 0 && share < 1);
  }
  const known: string[] = [...SIZES, "kind", ...SHARES];
  for (const name of Object.keys(given)) must(name, `one of ${known.join(", ")}`, known.includes(name));
}

/** Throws unless a batch has captions of a word or more, and its words are numbers of the vocabulary. */
export function checkCaptions(
  op: string,
  { ids, lengths, rows, width }: PaddedBatch,
  vocabulary: number,
): void {
  const remedy = "encode it with the vocabulary of the model, END at its end";
  if (rows * width === 0 || lengths.includes(0)) {
    const fault = { op, rule: "a caption must have a word", got: `${rows} rows of ${width}` };
    throw new ShapeError("SHAPE", { ...fault, remedy });
  }
  const wrong = ids.find((id) => !(id >= 0 && id < vocabulary));
  if (wrong === undefined) return;
  const rule = `a caption's words must be from 0 to ${vocabulary - 1}`;
  throw new OptionError("OPTION", { op, rule, got: wrong, remedy });
}
