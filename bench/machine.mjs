/** Where and with what a run was made. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";

const here = createRequire(import.meta.url);

/** The folder of an installed package. */
export function folderOf(/** @type {string} */ name) {
  const folder = here.resolve
    .paths(name)
    ?.map((place) => path.join(place, name))
    .find((place) => manifestOf(place) !== undefined);
  if (!folder) throw new Error(`${name} is not installed`);
  return folder;
}

function manifestOf(/** @type {string} */ folder) {
  try {
    return JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  } catch {
    return undefined;
  }
}

export const versionOf = (/** @type {string} */ name) =>
  /** @type {string} */ (manifestOf(folderOf(name)).version);

/** A neighbour that keeps a core busy spoils what is measured in two threads. */
const BUSY_LOAD = 0.5;

export function machine() {
  const cpus = os.cpus();
  const load = os.loadavg()[0];
  return {
    cpu: cpus[0]?.model.trim() ?? "unknown",
    cores: cpus.length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.arch()}`,
    node: process.version,
    load: Number(load.toFixed(2)),
    busy: load > BUSY_LOAD,
  };
}
