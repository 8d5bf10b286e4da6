import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";

/** The built command, found by the package's name: compiled proofs lie in another folder than their sources. */
const root = path.dirname(createRequire(import.meta.url).resolve("heed/package.json"));
const main = path.join(root, "dist/cli/main.js");

/** Starts whose least time counts: other programs only add to it. */
const STARTS = 6;

export interface CommandSeconds {
  firstAnswerSeconds: number;
  thousandSeconds: number;
}

/** Seconds from the start of `heed translate` to its end, for one sentence, and for 1,000 from standard input. */
export function commandSeconds(onProgress: (share: number) => void): CommandSeconds {
  let firstAnswerSeconds = Number.POSITIVE_INFINITY;
  for (let n = 1; n <= STARTS; n++) {
    firstAnswerSeconds = Math.min(firstAnswerSeconds, run(["Where is the station?"], "", 1));
    onProgress(n / (2 * STARTS));
  }
  const lines = thousand();
  const thousandSeconds = run([], `${lines.join("\n")}\n`, lines.length);
  onProgress(1);
  return { firstAnswerSeconds, thousandSeconds };
}

/** Seconds that one run takes; its answers must be that many. */
function run(args: string[], input: string, answers: number): number {
  const start = performance.now();
  const { stdout, status, stderr } = spawnSync(process.execPath, [main, "translate", "--no-map", ...args], {
    input,
    encoding: "utf8",
  });
  const seconds = (performance.now() - start) / 1000;
  if (status !== 0 || stdout.trimEnd().split("\n").length !== answers) {
    throw new Error(`heed translate: must give ${answers} lines and end with 0, got ${status}; ${stderr}`);
  }
  return seconds;
}

/** 1,000 different sentences of four to eleven words. */
export function thousand(): string[] {
  const people = ["I", "My sister", "The old man", "Tom", "Our neighbour"];
  const verbs = ["saw", "bought", "forgot", "will need", "would like to have"];
  const things = ["a book", "the red car", "two tickets", "some bread", "a new house"];
  const times = [
    "yesterday",
    "on Monday",
    "in the morning",
    "before the war",
    "when it rains",
    "again",
    "today",
    "here",
  ];
  const all = people.flatMap((who) =>
    verbs.flatMap((does) => things.map((what) => `${who} ${does} ${what}`)),
  );
  return all.flatMap((start) => times.map((when) => `${start} ${when}.`));
}
