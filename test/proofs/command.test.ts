import { execFileSync, spawnSync } from "node:child_process";
import path from "node:path";
import { expect, test } from "vitest";
import { CLAIMS } from "../../proofs/claims.ts";

const root = path.resolve(import.meta.dirname, "../..");

test("npm run prove compiles the proofs in a clone, and lists every claim", () => {
  const text = execFileSync(process.execPath, ["tools/prove.mjs", "--list"], { cwd: root, encoding: "utf8" });
  expect(text.trimEnd().split("\n")).toHaveLength(CLAIMS.length);
  for (const { name, claim } of CLAIMS)
    expect(text).toMatch(new RegExp(`^${name} +${claim.slice(0, 12)}`, "m"));
});

test("a reader who leaves the list early is no error", () => {
  // The reader is gone before the first line comes, whatever the machine does meanwhile.
  const command = `node tools/prove.mjs --list | true; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = spawnSync("bash", ["-c", command], { cwd: root, encoding: "utf8" });
  expect({ stdout, stderr }).toEqual({ stdout: "0\n", stderr: "" });
});
