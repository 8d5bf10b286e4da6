import { readFileSync } from "node:fs";

/** The version in heed's package.json, two folders above this file in the sources and in dist alike. */
export function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
