import { execFileSync } from "node:child_process";
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
