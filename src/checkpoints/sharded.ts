/** A checkpoint in several files, with a JSON index that says which tensor stands in which. */
import { DataError } from "../core/errors.ts";
import { isObject } from "../core/is-object.ts";
import { damaged } from "./bytes.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { tensorOf } from "./names.ts";

/** The file of each tensor. @throws DataError DAMAGED */
export function parseIndex(name: string, text: string): ReadonlyMap<string, string> {
  let index: unknown;
  try {
    index = JSON.parse(text);
  } catch {
    throw damaged(name, "an index must be JSON", text.slice(0, 40));
  }
  const map = isObject(index) ? index.weight_map : undefined;
  if (!isObject(map)) throw damaged(name, "an index must have a weight_map", Object.keys(index ?? {}));
  if (Object.keys(map).length === 0) throw damaged(name, "weight_map must name a tensor", "none");
  for (const file of Object.values(map)) {
    // A name alone: an index must not reach out of its folder.
    if (typeof file === "string" && /^[\w][\w.-]*$/.test(file)) continue;
    throw damaged(name, "weight_map must give files of the same folder", JSON.stringify(file));
  }
  return new Map(Object.entries(map) as [string, string][]);
}

/**
 * The tensors of all files as one checkpoint; a file is opened when one of its tensors is asked for, or its types are.
 *
 * @param open one file of the folder
 * @throws DataError MISMATCH where a file lacks what the index promises
 */
export async function openSharded(
  name: string,
  places: ReadonlyMap<string, string>,
  open: (file: string) => Promise<Checkpoint>,
): Promise<Checkpoint> {
  const opened = new Map<string, Checkpoint>();
  const close = async () => {
    for (const part of opened.values()) await part.close();
  };
  try {
    for (const file of new Set(places.values())) opened.set(file, await open(file));
    const tensors = new Map(
      [...places].map(([tensor, file]) => {
        const info = opened.get(file)!.tensors.get(tensor);
        if (info) return [tensor, info] as const;
        const rule = `${file} must have ${tensor}, as the index says`;
        const remedy = "the files belong to different models, download them again";
        throw new DataError("MISMATCH", { op: name, rule, got: "none", remedy });
      }),
    );
    const [first] = opened.values();
    return {
      format: first!.format,
      tensors,
      metadata: first!.metadata,
      read: async (tensor) => opened.get(tensorOf(name, places, tensor))!.read(tensor),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
