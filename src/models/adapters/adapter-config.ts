/** adapter_config.json, as PEFT writes it. */
import { DataError, OptionError } from "../../core/errors.ts";
import { ConfigJson } from "../pretrained/config-json.ts";

/** What decides an adapter besides its numbers. */
export interface LoraConfig {
  /** Rank of what is added. */
  readonly r: number;
  /** α: what is added is scaled by α / r. */
  readonly alpha: number;
  /** Scaled by α / √r instead (rank-stabilised, Kalajdzievski 2023, arxiv.org/abs/2312.03732). */
  readonly rslora: boolean;
  /** Share of the inputs of A dropped in training. */
  readonly dropout: number;
}

const FILE = "adapter_config.json";
/** Entries that must be nothing: they change what is computed in ways that heed does not. */
const NOTHING = [
  "modules_to_save",
  "rank_pattern",
  "alpha_pattern",
  "layer_replication",
  "megatron_config",
  "trainable_token_indices",
] as const;
/** Ways to begin that leave the base as it is; others change its weights too. */
const STARTS: readonly unknown[] = [true, false, "gaussian", undefined, null];

/**
 * @throws DataError FORMAT for an entry out of its range, UNSUPPORTED for one that heed does not compute, by its name
 */
export function readLoraConfig(given: Readonly<Record<string, unknown>>): LoraConfig {
  const json = new ConfigJson(given, FILE);
  json.only("peft_type", "LORA");
  if (json.get("peft_type") === undefined) throw json.fault("peft_type", 'must be "LORA"', undefined);
  json.only("bias", "none");
  json.only("use_dora", false);
  json.only("lora_bias", false);
  for (const key of NOTHING) {
    const value = json.get(key);
    if (isNothing(value)) continue;
    throw json.unsupported(key, "must be left out", value);
  }
  if (!STARTS.includes(json.get("init_lora_weights")))
    throw json.unsupported(
      "init_lora_weights",
      "must leave the base as it is",
      json.get("init_lora_weights"),
    );
  const dropout = json.number("lora_dropout", 0);
  if (!(dropout >= 0 && dropout < 1))
    throw json.fault("lora_dropout", "must be a number from 0 to below 1", dropout);
  const r = json.size("r");
  return { r, alpha: json.number("lora_alpha", r), rslora: json.flag("use_rslora", false), dropout };
}

const isNothing = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (typeof value === "object" && Object.keys(value as object).length === 0);

/** What is added, times this. */
export const scaleOf = ({ r, alpha, rslora }: LoraConfig): number => alpha / (rslora ? Math.sqrt(r) : r);

/** @throws OptionError OPTION */
export function checkLoraConfig(op: string, { r, alpha, dropout }: LoraConfig): void {
  const check = (name: string, holds: boolean, rule: string, got: unknown) => {
    if (holds) return;
    throw new OptionError("OPTION", {
      op,
      rule: `${name} must be ${rule}`,
      got,
      remedy: "pass another value",
    });
  };
  check("r", Number.isSafeInteger(r) && r >= 1, "a whole number from 1", r);
  check("alpha", Number.isFinite(alpha) && alpha > 0, "a number above 0", alpha);
  check("dropout", dropout >= 0 && dropout < 1, "a number from 0 to below 1", dropout);
}

/** adapter_config.json of an adapter; its kind of task is what PEFT calls the head that the base has. */
export function loraConfigJson(
  { r, alpha, rslora, dropout }: LoraConfig,
  of: { targets: readonly string[]; transposed: boolean; base: string | undefined; task: string | undefined },
): Record<string, unknown> {
  return {
    peft_type: "LORA",
    task_type: of.task ?? null,
    base_model_name_or_path: of.base ?? null,
    r,
    lora_alpha: alpha,
    lora_dropout: dropout,
    use_rslora: rslora,
    use_dora: false,
    bias: "none",
    target_modules: of.targets,
    modules_to_save: null,
    fan_in_fan_out: of.transposed,
    inference_mode: true,
  };
}

/** A file of an adapter that is none of this model. */
export function notThis(
  code: "UNSUPPORTED" | "MISMATCH" | "MISSING",
  rule: string,
  got: string,
): DataError<typeof code> {
  const remedy = "load it on the base that it was trained on";
  return new DataError(code, { op: "LoraAdapter.read", rule, got, remedy });
}
