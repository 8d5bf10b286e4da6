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
  const translate = ["translate", "--no-map"];
  const firstAnswerSeconds = leastSeconds(
    STARTS,
    () => secondsOf({ args: [...translate, "Where is the station?"], lines: 1 }),
    (share) => onProgress(share / 2),
  );
  const lines = thousand();
  const thousandSeconds = secondsOf({
    args: translate,
    input: `${lines.join("\n")}\n`,
    lines: lines.length,
  });
  onProgress(1);
  return { firstAnswerSeconds, thousandSeconds };
}

/** The least of the seconds of some runs. */
export function leastSeconds(
  runs: number,
  seconds: () => number,
  onProgress: (share: number) => void,
): number {
  let least = Number.POSITIVE_INFINITY;
  for (let n = 1; n <= runs; n++) {
    least = Math.min(least, seconds());
    onProgress(n / runs);
  }
  return least;
}

/** A run of the built command. */
export interface CommandRun {
  /** What follows `heed`. */
  args: readonly string[];
  /** What it reads from standard input. @default nothing */
  input?: string;
  /** How many lines it must print; it throws where there are others. */
  lines: number;
}

/** Seconds from the start of the built command to its end, by the clock. */
export function secondsOf(run: CommandRun): number {
  const start = performance.now();
  spawn([], run);
  return (performance.now() - start) / 1000;
}

/** Has a process say its processor time where it ends, behind all that it says on standard error. */
const TELLING = `import { writeSync } from "node:fs";
process.on("exit", () => {
  const { user, system } = process.cpuUsage();
  writeSync(2, "\\n" + (user + system));
});`;

/** Seconds of processor time of the built command, of all its threads together: what other programs take is not in it. */
export function processorSecondsOf(run: CommandRun): number {
  const telling = ["--import", `data:text/javascript,${encodeURIComponent(TELLING)}`];
  return Number(spawn(telling, run).split("\n").at(-1)) / 1e6;
}

/** Runs the built command. @returns what it said on standard error */
function spawn(flags: readonly string[], { args, input = "", lines }: CommandRun): string {
  const { stdout, status, stderr } = spawnSync(process.execPath, [...flags, main, ...args], {
    input,
    encoding: "utf8",
  });
  if (status === 0 && stdout.trimEnd().split("\n").length === lines) return stderr;
  throw new Error(`heed ${args[0]}: must give ${lines} lines and end with 0, got ${status}; ${stderr}`);
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
