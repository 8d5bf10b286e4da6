import type { RopeScaling } from "../../attention/position/rope-frequencies.ts";
import { DataError } from "../../core/errors.ts";
import type { Activation } from "../transformer/config.ts";

/** The activations of published configurations that heed has, by their names there. */
const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  ...{
    relu: "relu",
    gelu: "gelu",
    gelu_new: "geluTanh",
    gelu_pytorch_tanh: "geluTanh",
    gelu_fast: "geluTanh",
  },
  ...{ silu: "silu", swish: "silu" },
};

/** Reads a published configuration; every fault names the entry. */
export class ConfigJson {
  readonly #json: Readonly<Record<string, unknown>>;
  /** What the configuration is called, for errors. */
  readonly name: string;

  constructor(json: Readonly<Record<string, unknown>>, name = "config.json") {
    this.#json = json;
    this.name = name;
  }

  get(key: string): unknown {
    return Object.hasOwn(this.#json, key) ? this.#json[key] : undefined;
  }

  /** A whole number from 1. @throws DataError FORMAT */
  size(key: string, otherwise?: number): number {
    const value = this.get(key) ?? otherwise;
    if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number;
    throw this.fault(key, "must be a whole number from 1", value);
  }

  /** @throws DataError FORMAT */
  number(key: string, otherwise: number): number {
    const value = this.get(key) ?? otherwise;
    if (Number.isFinite(value)) return value as number;
    throw this.fault(key, "must be a number", value);
  }

  /** @throws DataError FORMAT */
  flag(key: string, otherwise: boolean): boolean {
    const value = this.get(key) ?? otherwise;
    if (typeof value === "boolean") return value;
    throw this.fault(key, "must be true or false", value);
  }

  /** @throws DataError UNSUPPORTED naming the activation */
  activation(key: string, otherwise: string): Activation {
    const value = this.get(key) ?? otherwise;
    const known =
      typeof value === "string" && Object.hasOwn(ACTIVATIONS, value) ? ACTIVATIONS[value] : undefined;
    if (known) return known;
    throw this.unsupported(key, `must be one of ${Object.keys(ACTIVATIONS).join(", ")}`, value);
  }

  /** An entry that has to be what heed computes. @throws DataError UNSUPPORTED */
  only(key: string, wanted: unknown): void {
    const value = this.get(key) ?? wanted;
    if (value !== wanted) throw this.unsupported(key, `must be ${JSON.stringify(wanted)}`, value);
  }

  /** @throws DataError UNSUPPORTED naming the kind */
  ropeScaling(key: string): RopeScaling | undefined {
    const given = this.get(key);
    if (given === undefined || given === null) return undefined;
    const scaling = new ConfigJson(given as Record<string, unknown>, `${this.name}: ${key}`);
    const kind = scaling.get("rope_type") ?? scaling.get("type");
    const factor = () => scaling.number("factor", Number.NaN);
    const original = () => scaling.size("original_max_position_embeddings");
    switch (kind) {
      case "default":
        return undefined;
      case "linear":
        return { type: "linear", factor: factor() };
      case "llama3": {
        const [fast, slow] = [scaling.number("high_freq_factor", 4), scaling.number("low_freq_factor", 1)];
        return { type: "llama3", factor: factor(), original: original(), fast, slow };
      }
      case "yarn": {
        const [fast, slow] = [scaling.number("beta_fast", 32), scaling.number("beta_slow", 1)];
        return { type: "yarn", factor: factor(), original: original(), fast, slow };
      }
      default:
        throw scaling.unsupported("rope_type", "must be default, linear, llama3 or yarn", kind);
    }
  }

  fault(key: string, rule: string, got: unknown): DataError<"FORMAT"> {
    const remedy = "take the configuration that stands beside the weights";
    const shown = got === undefined ? "nothing" : JSON.stringify(got).slice(0, 80);
    return new DataError("FORMAT", { op: this.name, rule: `${key} ${rule}`, got: shown, remedy });
  }

  unsupported(key: string, rule: string, got: unknown): DataError<"UNSUPPORTED"> {
    const remedy = "heed does not compute this model";
    const shown = got === undefined ? "nothing" : JSON.stringify(got).slice(0, 80);
    return new DataError("UNSUPPORTED", { op: this.name, rule: `${key} ${rule}`, got: shown, remedy });
  }
}
