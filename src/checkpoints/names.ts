import { OptionError } from "../core/errors.ts";

/** What a map has under a name. @throws OptionError UNKNOWN */
export function tensorOf<T>(file: string, tensors: ReadonlyMap<string, T>, name: string): T {
  const found = tensors.get(name);
  if (found !== undefined) return found;
  const names = [...tensors.keys()];
  const shown = names.slice(0, 8).join(", ") + (names.length > 8 ? ", …" : "");
  throw new OptionError("UNKNOWN", {
    op: file,
    rule: `a tensor must be one of the ${names.length} of the file (${shown})`,
    got: JSON.stringify(name),
    remedy: "checkpoint.tensors has all names",
    known: names,
  });
}
