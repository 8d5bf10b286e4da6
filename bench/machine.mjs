/** Where and with what a run was made. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const here = createRequire(import.meta.url);

function manifestOf(/** @type {string} */ folder) {
  try {
    return JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  } catch {
    return undefined;
  }
}

/** The folder of an installed package, whose exports may not show its package.json. */
export function folderOf(/** @type {string} */ name) {
  const folder = here.resolve
    .paths(name)
    ?.map((place) => path.join(place, name))
    .find((place) => manifestOf(place) !== undefined);
  if (!folder) throw new Error(`${name} is not installed`);
  return folder;
}

export const versionOf = (/** @type {string} */ name) =>
  /** @type {string} */ (manifestOf(folderOf(name)).version);

const WATCH_MS = 1000;

/** How many cores the other processes keep busy while this one sleeps for a second. */
export async function othersLoad() {
  const times = () => os.cpus().map(({ times }) => times);
  const working = (/** @type {os.CpuInfo["times"]} */ { user, nice, sys, irq }) => user + nice + sys + irq;
  const before = times();
  await pause(WATCH_MS);
  return times().reduce((sum, after, core) => sum + (working(after) - working(before[core])) / WATCH_MS, 0);
}

/** Neighbours that keep a core busy by this much spoil what is measured in two threads. */
export const BUSY_LOAD = 0.3;

export function machine() {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model.trim() ?? "unknown",
    cores: cpus.length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.arch()}`,
    node: process.version,
  };
}
