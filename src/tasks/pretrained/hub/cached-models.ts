import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { isObject } from "../../../core/is-object.ts";
import { modelsFolder, readModelRecord } from "../../../data/locate-model.ts";
import { CARD, SHIPPED_MODELS } from "../../model-folder.ts";

/** A model that was fetched. */
export interface CachedModel {
  /** As it is given to commands: `OWNER/NAME`, with `@REVISION` behind it where that is not main. */
  readonly name: string;
  readonly folder: string;
  /** On disk. */
  readonly bytes: number;
  /** False while something is missing: `heed models fetch` goes on with it. */
  readonly whole: boolean;
  readonly commit?: string;
  readonly licence?: string;
  /** As config.json has it. */
  readonly modelType?: string;
}

/** A model that heed was trained and ships. */
export interface ShippedModel {
  readonly name: string;
  readonly folder: string;
  readonly bytes: number;
  readonly task: string;
  readonly parameters: number;
}

function foldersOf(folder: string): string[] {
  try {
    const found = readdirSync(folder, { withFileTypes: true });
    return found.filter((entry) => entry.isDirectory()).map(({ name }) => path.join(folder, name));
  } catch {
    return [];
  }
}

function bytesOf(folder: string): number {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => {
    return sum + (statSync(path.join(parentPath, name), { throwIfNoEntry: false })?.size ?? 0);
  }, 0);
}

/** An object in a JSON file, with nothing in it where there is none: a list says what it can. */
function readObject(file: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

/**
 * The models that `fetchModel` has brought, whole or not.
 *
 * @param folder where they are
 * @example
 * cachedModels("no-such-folder"); // []
 */
export function cachedModels(folder: string = modelsFolder()): CachedModel[] {
  return foldersOf(folder).flatMap((owner) =>
    foldersOf(owner).map((model) => {
      const { commit, licence } = readModelRecord(model) ?? {};
      const { model_type: modelType } = readObject(path.join(model, "config.json"));
      return {
        name: `${path.basename(owner)}/${path.basename(model)}`,
        folder: model,
        bytes: bytesOf(model),
        whole: commit !== undefined,
        ...(commit !== undefined && { commit }),
        ...(licence !== undefined && { licence }),
        ...(typeof modelType === "string" && { modelType }),
      };
    }),
  );
}

/**
 * The models that ship with heed, each with a card.
 *
 * @example
 * shippedModels().some(({ name }) => name === "translation-en-fr"); // true
 */
export function shippedModels(): ShippedModel[] {
  return foldersOf(SHIPPED_MODELS).flatMap((folder) => {
    const { name, task, parameters } = readObject(path.join(folder, CARD));
    if (typeof name !== "string") return [];
    return { name, folder, bytes: bytesOf(folder), task: String(task), parameters: Number(parameters) };
  });
}
