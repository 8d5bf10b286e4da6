import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { boundOf, type Claim, type Metrics, passes } from "./claim.ts";
import { CLAIMS } from "./claims.ts";
import { formatted, type Measured, withMeasured } from "./learning.ts";
import { withCost } from "./step-cost.ts";

const HELP = `npm run prove -- [options] [name...]

Measures what heed says about learning and time, and compares each metric with its threshold: ok or FAIL, or shown
where there is no threshold. A name also selects all that begin with it and a slash. Exit code 1 when one fails.

  --list    print the claims, and measure nothing
  --quick   only the short ones, a few minutes in all
  --cost    only what a step of training costs: parameters, seconds, share in heed's kernels. A claim ends where it is known,
            and one that trains nothing is measured and left out. Without this it stands among the metrics
  --json    one object a line: name, ok (null without a threshold), metrics, thresholds, seconds; skipped, with the
            reason, where something is missing
  --write   keep what is measured in proofs/measured.json, and in the tables of docs/LEARNING.md
  --help

  npm run prove -- --list
  npm run prove -- local-swap/general
  npm run prove -- reversal --json
`;

/** What a run reads and writes; tests pass their own. */
export interface Surroundings {
  claims: readonly Claim[];
  print(text: string): void;
  complain(text: string): void;
  /** Shows how far a claim is, where a person watches. */
  progress?: ((text: string) => void) | undefined;
  /** What `--write` brings up to date. */
  measured: { read(): Measured; write(measured: Measured): void };
}

/** How one claim came out. */
interface Outcome {
  name: string;
  /** Whether every threshold is reached; null where there is none. */
  ok: boolean | null;
  metrics: Metrics;
  thresholds: Claim["thresholds"];
  seconds: number;
  /** Why it was not measured. */
  skipped?: string;
}

const OPTIONS = {
  cost: { type: "boolean" },
  list: { type: "boolean" },
  quick: { type: "boolean" },
  json: { type: "boolean" },
  write: { type: "boolean" },
  help: { type: "boolean" },
} as const;

/** Runs one command line and gives its exit code: 1 where a claim fails, 2 for a line that says nothing to do. */
export async function prove(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { print, complain } = surroundings;
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    complain(`prove: ${(error as Error).message}\n`);
    return 2;
  }
  const { values, positionals: names } = parsed;
  if (values.help) {
    print(HELP);
    return 0;
  }
  const unknown = names.find((name) => !surroundings.claims.some(isNamed(name)));
  if (unknown !== undefined) {
    complain(`prove: no claim is called "${unknown}"; npm run prove -- --list prints them\n`);
    return 2;
  }
  const named = surroundings.claims.filter(
    (claim) => names.length === 0 || names.some((name) => isNamed(name)(claim)),
  );
  const chosen = values.quick ? named.filter(({ quick }) => quick) : named;
  if (chosen.length === 0) {
    complain(`prove: none of ${names.join(" ")} is a short one; leave --quick out\n`);
    return 2;
  }
  if (!values.list) return measureAll(chosen, surroundings, values);
  list(chosen, surroundings, values.json === true);
  return 0;
}

const parse = (args: readonly string[]) =>
  parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });

const isNamed = (name: string) => (claim: Claim) => claim.name === name || claim.name.startsWith(`${name}/`);

const nameWidth = (claims: readonly Claim[]) => Math.max(...claims.map(({ name }) => name.length));

function list(claims: readonly Claim[], { print }: Surroundings, json: boolean): void {
  const width = nameWidth(claims);
  for (const { name, claim, thresholds, quick } of claims) {
    print(
      `${json ? JSON.stringify({ name, claim, thresholds, quick }) : `${name.padEnd(width)}  ${claim}`}\n`,
    );
  }
}

async function measureAll(
  claims: readonly Claim[],
  surroundings: Surroundings,
  { json, write, cost = false }: Partial<Record<"json" | "write" | "cost", boolean>>,
): Promise<number> {
  const { print, measured } = surroundings;
  const width = nameWidth(claims);
  const outcomes: Outcome[] = [];
  for (const claim of claims) {
    const outcome = await measure(claim, surroundings, cost);
    if (cost && Object.keys(outcome.metrics).length === 0) continue;
    outcomes.push(outcome);
    print(`${json ? JSON.stringify(outcome) : lineOf(outcome, width)}\n`);
    // Long runs are stopped before their end; what is done stays done.
    if (write && outcome.skipped === undefined) {
      const before = measured.read();
      const metrics = { ...(cost && before[claim.name]), ...finite(outcome.metrics) };
      measured.write({ ...before, [claim.name]: metrics });
    }
  }
  if (!json) print(`${summary(outcomes)}\n`);
  return outcomes.some(({ ok }) => ok === false) ? 1 : 0;
}

async function measure(claim: Claim, { progress }: Surroundings, only: boolean): Promise<Outcome> {
  const { name, thresholds } = claim;
  const skipped = claim.missing?.();
  if (skipped !== undefined) return { name, ok: null, metrics: {}, thresholds, seconds: 0, skipped };
  const begun = performance.now();
  const report = (share: number) => progress?.(`${name}  ${Math.floor(100 * share)} %`);
  const { result, cost } = await withCost(() => claim.measure(report), only).finally(() => progress?.(""));
  const seconds = (performance.now() - begun) / 1000;
  if (only) return { name, ok: null, metrics: { ...cost }, thresholds, seconds };
  const metrics: Metrics = { ...result, ...cost };
  const ok = thresholds.length === 0 ? null : thresholds.every((one) => passes(metrics[one.metric], one));
  return { name, ok, metrics, thresholds, seconds };
}

/** JSON knows no NaN; a metric that is not there reaches no threshold either. */
const finite = (metrics: Metrics): Metrics =>
  Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value)));

/** `ok     reversal/dot  exact 0.996 (≥ 0.95), alignment 1.000 (≥ 0.9), beyond 0.003  31 s` */
function lineOf({ name, ok, metrics, thresholds, seconds, skipped }: Outcome, width: number): string {
  if (skipped !== undefined) return `${"skip".padEnd(5)}  ${name.padEnd(width)}  ${skipped}`;
  const values = Object.entries(metrics).map(([metric, value]) => {
    const threshold = thresholds.find((one) => one.metric === metric);
    return `${metric} ${formatted(value)}${threshold ? ` (${boundOf(threshold)})` : ""}`;
  });
  const verdict = ok === null ? "shown" : ok ? "ok" : "FAIL";
  return `${verdict.padEnd(5)}  ${name.padEnd(width)}  ${values.join(", ")}  ${Math.round(seconds)} s`;
}

/** `11 of 12 claims hold, 2 shown without a threshold` */
function summary(outcomes: readonly Outcome[]): string {
  const judged = outcomes.filter(({ ok }) => ok !== null);
  const skipped = outcomes.filter((outcome) => outcome.skipped !== undefined).length;
  const shown = outcomes.length - judged.length - skipped;
  const parts = [];
  if (judged.length > 0)
    parts.push(`${judged.filter(({ ok }) => ok).length} of ${judged.length} claims hold`);
  if (shown > 0) parts.push(`${shown} shown without a threshold`);
  if (skipped > 0) parts.push(`${skipped} skipped`);
  return parts.join(", ");
}

/** What `npm run prove` does in a clone. */
export function main(args: readonly string[], root: string): Promise<number> {
  const { stdout, stderr } = process;
  return prove(args, {
    claims: CLAIMS,
    print: (text) => stdout.write(text),
    complain: (text) => stderr.write(text),
    progress: stderr.isTTY ? (text) => void stderr.write(`\r\u001b[K${text}`) : undefined,
    measured: recordOf(root),
  });
}

/** proofs/measured.json, which docs/LEARNING.md follows. */
function recordOf(root: string): Surroundings["measured"] {
  const record = path.join(root, "proofs/measured.json");
  const learning = path.join(root, "docs/LEARNING.md");
  return {
    read: () => JSON.parse(readFileSync(record, "utf8")),
    write(measured) {
      const inOrder = CLAIMS.filter(({ name }) => name in measured).map(({ name }) => [name, measured[name]]);
      writeFileSync(record, `${JSON.stringify(Object.fromEntries(inOrder), null, 2)}\n`);
      writeFileSync(learning, withMeasured(readFileSync(learning, "utf8"), CLAIMS, measured));
    },
  };
}
