import { readdirSync, statSync } from "node:fs";
import path from "node:path";

/** The newest modification time, in milliseconds, among files and everything below folders. */
export function newestMtime(/** @type {string[]} */ places) {
  let newest = 0;
  for (const place of places) {
    const stat = statSync(place, { throwIfNoEntry: false });
    if (!stat) continue;
    newest = Math.max(newest, stat.mtimeMs);
    if (!stat.isDirectory()) continue;
    const inside = readdirSync(place)
      .filter((name) => name !== "generated")
      .map((name) => path.join(place, name));
    newest = Math.max(newest, newestMtime(inside));
  }
  return newest;
}
