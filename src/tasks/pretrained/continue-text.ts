import { DataError, OptionError } from "../../core/errors.ts";
import { mostTokens } from "../../models/transformer/config.ts";
import { generateSteps } from "../../models/transformer/generate.ts";
import type { SamplingOptions } from "../../models/transformer/sampling.ts";
import type { PretrainedModel } from "./model.ts";
import { TextStream } from "./text-stream.ts";

export interface ContinueOptions extends SamplingOptions {
  /** Tokens to add at most. @default what the model's settings say, else 128; the model's positions bound it */
  maxTokens?: number;
  /** Chooses the tokens. @default 0 */
  seed?: number;
  /** Texts that end it; none is part of it. @default none, besides the tokens that the model's settings name */
  stop?: readonly string[];
  /** Told of the logits after the prompt, which are valid during the call. */
  onLogits?: (logits: Float32Array) => void;
}

/** One token, and the text that is certain with it. */
export interface ContinuedStep {
  readonly id: number | undefined;
  /** Empty where characters are not whole yet, and in a model without a tokenizer. */
  readonly text: string;
}

const MOST_TOKENS = 128;

/**
 * Continues a prompt, one token at a time: as the model's own settings say, and the options before them. A model with an
 * encoder reads the prompt there and writes from its start token on. The last step may have text alone, which was held back.
 *
 * @param prompt a text, or ids
 * @throws OptionError OPTION, CONFLICT where the model continues nothing · DataError MISSING, UNSUPPORTED, UNKNOWN, LIMIT
 * @example
 * const model = await loadModel("my-decoder");
 * const ids = [];
 * for (const { id } of continueText(model, [3, 1, 4], { maxTokens: 4 })) ids.push(id);
 * ids.length <= 4; // true
 * model.dispose();
 */
export function* continueText(
  model: PretrainedModel,
  prompt: string | readonly number[],
  options: ContinueOptions = {},
): Generator<ContinuedStep, void, void> {
  const { stop = [], onLogits, maxTokens, seed, ...chosen } = options;
  const { settings } = model;
  checkDecoder(model);
  checkStops(stop);
  const ids = typeof prompt === "string" ? model.encode(prompt).ids : prompt;
  model.check(ids);
  const { encoderLayers } = model.model.config;
  const isSource = encoderLayers > 0;
  const start = isSource ? [startOf(model)] : ids;
  const stream = model.tokenizer && new TextStream(model.tokenizer, isSource ? [] : ids, stop);
  const steps = generateSteps(model.model, [start], {
    ...settings.sampling,
    ...chosen,
    ...(seed !== undefined && { seed }),
    ...(isSource && { sources: [ids] }),
    maxTokens: tokensToAdd(model, start.length, maxTokens),
    stop: settings.stop,
  });
  let isFirst = true;
  for (const { tokens, logits } of steps) {
    if (isFirst) onLogits?.(logits);
    isFirst = false;
    const id = tokens[0]?.id;
    if (id === undefined) break;
    const text = stream?.push(id) ?? "";
    yield { id, text };
    if (stream?.isEnded) return;
  }
  const rest = stream?.end();
  if (rest) yield { id: undefined, text: rest };
}

/** Tokens to add after a prompt of so many: as many as are asked for, and as the model has positions for. @throws DataError LIMIT */
function tokensToAdd(
  { settings, model }: PretrainedModel,
  prompt: number,
  asked: number | undefined,
): number {
  // What comes last is read by nobody, so that it needs no position.
  const most = mostTokens(model.config) - prompt + 1;
  if (asked === undefined) {
    const wanted = settings.maxTokens ?? Math.max(1, (settings.maxLength ?? prompt + MOST_TOKENS) - prompt);
    return Math.min(wanted, most);
  }
  if (asked <= most) return asked;
  const rule = `a prompt of ${prompt} tokens leaves room for ${most} more in this model`;
  const remedy = "ask for fewer, or give a shorter prompt";
  throw new DataError("LIMIT", { op: "continueText", rule, got: `${asked} to add`, remedy });
}

function startOf({ settings }: PretrainedModel): number {
  if (settings.start !== undefined) return settings.start;
  throw new OptionError("OPTION", {
    op: "continueText",
    rule: "a decoder with an encoder must have decoder_start_token_id in its settings",
    got: "none",
    remedy: "put generation_config.json beside the weights",
  });
}

function checkDecoder({ model: { config } }: PretrainedModel): void {
  if (config.decoderLayers > 0 && config.head) return;
  throw new OptionError("CONFLICT", {
    op: "continueText",
    rule: "the model must have a decoder with a head",
    got: config.decoderLayers > 0 ? "a decoder without one" : "an encoder alone, which writes nothing",
    remedy: "heed look and heed embed are for encoders",
  });
}

function checkStops(stops: readonly string[]): void {
  if (!stops.includes("")) return;
  const fault = { op: "continueText", rule: "a text that ends another must have a character", got: "none" };
  throw new OptionError("OPTION", { ...fault, remedy: "leave it out" });
}
