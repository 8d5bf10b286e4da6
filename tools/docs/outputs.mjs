// Runs the examples and the programs of the README, and writes what they print where they promise it: below
// `// Prints:` in an example, in the `text` block right below a `js` block of the README. For after a change
// that is meant to change them, such as new weights; read the difference before committing it.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const run = (/** @type {string[]} */ args) =>
  execFileSync(process.execPath, args, {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  }).trimEnd();

/** Replaces by a function, so that `$` in what a program prints stays `$`. */
function update(
  /** @type {string} */ file,
  /** @type {RegExp} */ pattern,
  /** @type {(...groups: string[]) => string} */ make,
) {
  const before = readFileSync(path.join(root, file), "utf8");
  const after = before.replace(pattern, (_, ...groups) => make(...groups));
  if (after === before) return;
  writeFileSync(path.join(root, file), after);
  console.log(`updated ${file}`);
}

for (const name of readdirSync(path.join(root, "examples")).filter((file) => file.endsWith(".mjs"))) {
  const file = path.join("examples", name);
  update(file, /^\/\/ Prints:\n(?:\/\/.*\n?)*$/m, () => {
    const lines = run([file]).split("\n");
    return `// Prints:\n${lines.map((line) => `// ${line}`.trimEnd()).join("\n")}\n`;
  });
}
update("README.md", /^```js\n([\s\S]*?)^```\n\n```text\n[\s\S]*?^```$/gm, (code) => {
  const printed = run(["--input-type=module", "-e", code]);
  return `\`\`\`js\n${code}\`\`\`\n\n\`\`\`text\n${printed}\n\`\`\``;
});
