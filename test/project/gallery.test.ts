import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");

test("README's strip of eight maps and the pictures of docs/VIEWS.md are what is drawn now", () => {
  execFileSync(process.execPath, [path.join(root, "tools/gallery.mjs"), "--check"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const strip = readFileSync(path.join(root, "docs/images/strip.svg"), "utf8");
  expect(strip.match(/<svg /g)?.length).toBe(1 + 8);
});
