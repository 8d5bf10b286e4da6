import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { scratchFolder } from "./bundle.ts";

const built = (file: string) =>
  pathToFileURL(fileURLToPath(new URL(`../../dist/${file}`, import.meta.url))).href;

/** Numbers of any depth. */
export type Nested = number | Nested[];

/** A program as a page copies it, and which parts of its `result` are wanted, by name; "" is the whole. */
export interface Copied {
  readonly code: string;
  readonly shows: Readonly<Record<string, string>>;
}

/**
 * Runs programs as they were copied, one after the other in one process of Node, against the built package; gives the numbers of
 * what each shows. What is added is an export of the result, and the addresses of the package that "heed" stands for.
 */
export function runCopied(programs: readonly Copied[]): Record<string, Nested>[] {
  const { folder, remove } = scratchFolder();
  try {
    const names = programs.map(({ code, shows }, n) => {
      const program = code
        .replace('"heed/backend"', JSON.stringify(built("host/backend.js")))
        .replace('from "heed/ops"', `from ${JSON.stringify(built("ops/index.js"))}`)
        .replace('from "heed"', `from ${JSON.stringify(built("index.js"))}`);
      const parts = Object.entries(shows).map(([name, place]) => {
        const part = place === "" ? "result" : `result.${place}`;
        return `${name}: ${part}.arraySync?.() ?? ${part}`;
      });
      writeFileSync(
        path.join(folder, `${n}.mjs`),
        `${program}\nexport const shown = { ${parts.join(", ")} };\n`,
      );
      return `./${n}.mjs`;
    });
    writeFileSync(path.join(folder, "all.mjs"), RUNNER.replace("NAMES", JSON.stringify(names)));
    const printed = execFileSync(process.execPath, [path.join(folder, "all.mjs")], {
      encoding: "utf8",
      maxBuffer: 2 ** 28,
      stdio: ["ignore", "pipe", "pipe"],
    });
    return JSON.parse(printed) as Record<string, Nested>[];
  } finally {
    remove();
  }
}

/** The programs print; only what they show goes out. */
const RUNNER = `
console.log = () => {};
const all = [];
for (const name of NAMES) all.push((await import(name)).shown);
process.stdout.write(JSON.stringify(all));
`;

/** All numbers, in their order. */
export const flat = (numbers: Nested): number[] =>
  Array.isArray(numbers) ? numbers.flatMap(flat) : [numbers];

/**
 * How far two arrays of numbers are apart, as a share of the largest; ∞ where one has more numbers than the other. Both are float32
 * sums of at most some hundred terms: what rounding can make of them is a few hundred times 2⁻²⁴, 1e-5.
 */
export function apart(a: Nested, b: Nested): number {
  const [left, right] = [flat(a), flat(b)];
  if (left.length !== right.length) return Number.POSITIVE_INFINITY;
  const most = Math.max(1, ...left.map(Math.abs));
  return Math.max(...left.map((x, n) => Math.abs(x - right[n]!))) / most;
}
