import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { thousand } from "../../proofs/time/command.ts";

const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** How long they take is a claim: `npm run prove -- speed/translation`. */
test("the sentences that the command is timed with are 1,000, each gives a line, and the same one alone", () => {
  const lines = thousand();
  expect(new Set(lines).size).toBe(1000);
  const some = lines.filter((_, n) => n % 9 === 0);
  const heed = (input: string) => {
    const options = { input, encoding: "utf8" } as const;
    const { stdout, status } = spawnSync(process.execPath, [main, "translate", "--no-map"], options);
    expect(status).toBe(0);
    return stdout.trimEnd().split("\n");
  };
  const all = heed(`${some.join("\n")}\n`);
  expect(all).toHaveLength(some.length);
  expect(all.every((line) => line.trim() !== "")).toBe(true);
  expect(heed(some[53]!)).toEqual([all[53]]);
});
