/** What the tests of tasks that train a model beside its baseline share. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect } from "vitest";
import type { RunOptions } from "../../src/tasks/run-options.ts";

/** Aborts while step `k` of a run is under way: of the first that is trained, or of the second. */
export function stopAt(k: number, which: 1 | 2 = 1): Pick<RunOptions<never>, "signal" | "progress"> {
  const stop = new AbortController();
  let begun = 0;
  return {
    signal: stop.signal,
    progress: {
      update: ({ step }) => begun >= which && step >= k && stop.abort(),
      log(line) {
        if (line.startsWith("training the ")) begun++;
      },
      stop() {},
    },
  };
}

/** Each change of a folder's card must make it a damaged one; the card is put back. */
export async function damagedCards<Card>(
  folder: string,
  cases: readonly [string, (card: Card) => object][],
  load: (folder: string) => Promise<unknown>,
): Promise<void> {
  const file = path.join(folder, "card.json");
  const text = readFileSync(file, "utf8");
  for (const [name, change] of cases) {
    writeFileSync(file, JSON.stringify(change(JSON.parse(text))));
    await expect(load(folder), name).rejects.toMatchObject({ code: "DAMAGED" });
  }
  writeFileSync(file, text);
}
