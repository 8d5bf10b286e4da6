// Writes the service worker of a folder of static pages: its code (studio/offline/worker.ts) after the list of what it keeps.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
/** As DIGITS of studio/offline/manifest.ts. */
const DIGITS = 32;
/** The file of the worker, in the folder that it serves. */
export const WORKER = "service-worker.js";

const digestOf = (/** @type {string | Uint8Array} */ bytes) =>
  createHash("sha256").update(bytes).digest("hex").slice(0, DIGITS);

/**
 * Each file of a folder, at any depth, with its digest.
 *
 * @returns {Record<string, string>}
 */
export function digestsOf(
  /** @type {string} */ folder,
  /** @type {(place: string) => boolean} */ isWanted = () => true,
) {
  const places = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((place) => place.replaceAll("\\", "/"))
    .filter((place) => place !== WORKER && isWanted(place) && statSync(path.join(folder, place)).isFile())
    .sort();
  return Object.fromEntries(places.map((place) => [place, digestOf(readFileSync(path.join(folder, place)))]));
}

/**
 * Writes it into a folder; returns the version.
 *
 * @param {string} folder
 * @param {Omit<import("../studio/offline/manifest.ts").OfflineManifest, "version">} manifest
 * @param {string} others what else makes another version
 */
export async function writeServiceWorker(folder, manifest, others = "") {
  const bundle = await rolldown({ input: path.join(root, "studio/offline/worker.ts") });
  const { output } = await bundle.generate({ format: "iife", minify: true });
  await bundle.close();
  const [{ code }] = output;
  const version = digestOf(JSON.stringify(manifest) + code + others).slice(0, 16);
  const text = `globalThis.heedOffline=${JSON.stringify({ version, ...manifest })};\n${code}`;
  writeFileSync(path.join(folder, WORKER), text);
  return version;
}
