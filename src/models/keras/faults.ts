/** The errors of Keras' models. */
import { DataError, OptionError } from "../../core/errors.ts";

export const READ = "loadKeras";
const WRITE = "saveKeras";

const shown = (value: unknown) => {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
};

/** A model that is well formed and that is not computed here. */
export function notComputed(rule: string, got: unknown, remedy: string): DataError<"UNSUPPORTED"> {
  return new DataError("UNSUPPORTED", { op: READ, rule, got: shown(got), remedy });
}

/** A configuration that Keras did not write. */
export function malformed(rule: string, got: unknown): DataError<"FORMAT"> {
  const remedy = "save the model again with model.save";
  return new DataError("FORMAT", { op: READ, rule, got: shown(got), remedy });
}

/** A model that Keras 3 could not load, or would compute otherwise. */
export function notWritten(rule: string, got: unknown, remedy: string): OptionError<"UNSUPPORTED"> {
  return new OptionError("UNSUPPORTED", { op: WRITE, rule, got: shown(got), remedy });
}
