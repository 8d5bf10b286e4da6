import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { it } from "vitest";

/** The data sets that lie beside the project where it is developed; a clone elsewhere has none. */
const SHARED = fileURLToPath(new URL("../../../shared/data/", import.meta.url));

/**
 * The folder of a shared data set, undefined where it is absent.
 *
 * @throws Error on the build machine (`CI` is set), where a data test must not be skipped
 */
export function sharedData(name: string): string | undefined {
  const folder = `${SHARED}${name}`;
  if (existsSync(folder)) return folder;
  if (process.env.CI) throw new Error(`CI must have the data set ${name}, got no folder ${folder}`);
  return undefined;
}

/**
 * `it` for a test that reads the data set: where that is absent the test is skipped and its title says why; on the
 * build machine it fails.
 *
 * @example
 * itWithData("tatoeba-en-fr")("has 3,231 validation rows", (folder) => {
 *   expect(readPairs(`${folder}/valid.tsv.gz`)).toHaveLength(3231);
 * });
 */
export function itWithData(
  name: string,
): (title: string, test: (folder: string) => void | Promise<void>, timeoutMs?: number) => void {
  return (title, test, timeoutMs) => {
    if (!process.env.CI && sharedData(name) === undefined) it.skip(`${title} (skipped: no data set ${name})`);
    else it(title, () => test(sharedData(name)!), timeoutMs);
  };
}
