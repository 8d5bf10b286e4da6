/** The pieces of a tokenizer, as the metadata of a GGUF file lists them. */
import { DataError } from "../../core/errors.ts";

const OP = "GGUF tokenizer";

/** What a file says of its pieces. */
export interface Pieces {
  readonly tokens: readonly string[];
  /** 1 normal, 2 unknown, 3 control, 4 defined by users, 5 unused, 6 a byte. */
  readonly types: ArrayLike<number>;
  /** @throws DataError FORMAT */
  list(name: string): readonly unknown[];
  flag(name: string, otherwise: boolean): boolean;
  /** A piece that the metadata names by its id. */
  piece(name: string): string | undefined;
}

/** What one kind of tokenizer differs in. */
export interface TokenizerParts {
  readonly normalizer: object | null;
  readonly pre_tokenizer: object | null;
  readonly decoder: object;
  readonly model: object;
  /** Whether a text begins with the token that begins texts, where the file does not say. */
  readonly addsBos: boolean;
}

/** @throws DataError FORMAT */
export function piecesOf(metadata: ReadonlyMap<string, unknown>): Pieces {
  const get = (name: string) => metadata.get(`tokenizer.ggml.${name}`);
  const list = (name: string): readonly unknown[] => {
    const value = get(name);
    if (Array.isArray(value)) return value;
    if (ArrayBuffer.isView(value)) return Array.from(value as Float32Array);
    throw fault(`tokenizer.ggml.${name} must be a list`, typeof value);
  };
  const tokens = list("tokens");
  const other = tokens.findIndex((token) => typeof token !== "string");
  if (other >= 0) throw fault("tokenizer.ggml.tokens must be texts", typeof tokens[other]);
  const types = get("token_type") === undefined ? new Uint8Array(tokens.length).fill(1) : list("token_type");
  if (types.length !== tokens.length)
    throw fault(`tokenizer.ggml.token_type must have the ${tokens.length} entries of tokens`, types.length);
  return {
    tokens: tokens as string[],
    types: types as number[],
    list,
    flag(name, otherwise) {
      const value = get(name) ?? otherwise;
      if (typeof value === "boolean") return value;
      throw fault(`tokenizer.ggml.${name} must be true or false`, value);
    },
    piece(name) {
      const id = get(name);
      if (id === undefined) return undefined;
      if (typeof id === "number" && Object.hasOwn(tokens, id)) return tokens[id] as string;
      throw fault(`tokenizer.ggml.${name} must be one of the ${tokens.length} tokens`, id);
    },
  };
}

/** The error of metadata that no converter writes. */
export function fault(rule: string, got: unknown): DataError<"FORMAT"> {
  const remedy = "convert the model again";
  return new DataError("FORMAT", { op: OP, rule, got: String(got).slice(0, 80), remedy });
}

/** The error of a tokenizer that heed does not know. */
export function unsupported(rule: string, got: unknown): DataError<"UNSUPPORTED"> {
  const shown = got === undefined ? "none" : JSON.stringify(String(got)).slice(0, 80);
  return new DataError("UNSUPPORTED", { op: OP, rule, got: shown, remedy: "give ids instead of text" });
}
