import { Command } from "commander";
import { UsageError } from "../core/errors.ts";
import { type Bar, keeps, type Statement } from "../tasks/statement.ts";
import { STATEMENTS } from "../tasks/statements.ts";
import { EXIT, Exit } from "./exit.ts";
import { type Io, write } from "./io.ts";

const NAME = "heed prove";

interface Flags {
  list?: boolean;
  quick?: boolean;
  json?: boolean;
}

/** How one statement came out. */
interface Outcome {
  name: string;
  row: number;
  /** Whether every bar is kept; null where there is none. */
  ok: boolean | null;
  figures: Record<string, number>;
  bars: readonly Bar[];
  seconds: number;
}

const HELP = `
Each statement trains a small model from nothing and compares its figures with their bars; it says ok or MISSED,
or shown where there is no bar. A name also selects all that begin with it and a slash. Exit code 1 when a
bar is missed.

  heed prove --list
  heed prove local-swap/general
  heed prove reversal --json
`;

/** `heed prove [name…]`: trains what heed says can be learnt, and compares the figures with their bars. */
export function proveCommand(io: Io, statements: readonly Statement[] = STATEMENTS): Command {
  return new Command("prove")
    .description("Trains small models and checks that what heed says about learning holds.")
    .argument("[name...]", "statements to run; all of them when there are none")
    .option("--list", "say what there is, and run nothing")
    .option("--quick", "only the short selection, a few minutes in all")
    .option("--json", "one object a line: name, row, ok (null without a bar), figures, bars, seconds")
    .addHelpText("after", HELP)
    .action(async (names: string[], flags: Flags) => {
      const named = choose(statements, names);
      const chosen = flags.quick ? short(named, names) : named;
      if (flags.list) return list(io, chosen, flags);
      await prove(io, chosen, flags);
    });
}

function choose(statements: readonly Statement[], names: readonly string[]): readonly Statement[] {
  if (names.length === 0) return statements;
  const matches = (name: string) => (one: Statement) => one.name === name || one.name.startsWith(`${name}/`);
  const unknown = names.find((name) => !statements.some(matches(name)));
  if (unknown !== undefined) {
    const rule = "that of a statement, or what stands before its slash";
    const remedy = "heed prove --list shows them";
    throw new UsageError("FLAG_VALUE", { command: NAME, flag: "each name", rule, got: unknown, remedy });
  }
  return statements.filter((one) => names.some((name) => matches(name)(one)));
}

/** The short ones among them; a run of none would prove nothing and look like a success. */
function short(statements: readonly Statement[], names: readonly string[]): readonly Statement[] {
  const found = statements.filter(({ quick }) => quick);
  if (found.length > 0) return found;
  const rule = "used with a statement of the short selection";
  const remedy = "leave it out, or take one of heed prove --quick --list";
  throw new UsageError("FLAG_VALUE", { command: NAME, flag: "--quick", rule, got: names.join(" "), remedy });
}

async function list(io: Io, statements: readonly Statement[], { json }: Flags): Promise<void> {
  const width = nameWidth(statements);
  for (const { name, row, statement, bars, quick } of statements) {
    const line = json
      ? JSON.stringify({ name, row, statement, bars, quick })
      : `${name.padEnd(width)}  row ${row}  ${statement}`;
    await write(io.stdout, `${line}\n`);
  }
}

async function prove(io: Io, statements: readonly Statement[], { json }: Flags): Promise<void> {
  const width = nameWidth(statements);
  const counts = { held: 0, missed: 0, shown: 0 };
  for (const statement of statements) {
    const outcome = await attempt(io, statement);
    counts[outcome.ok === null ? "shown" : outcome.ok ? "held" : "missed"]++;
    await write(io.stdout, `${json ? JSON.stringify(outcome) : lineOf(outcome, width)}\n`);
  }
  if (!json) await write(io.stdout, `${summary(counts)}\n`);
  if (counts.missed > 0) throw new Exit(EXIT.unexpected);
}

/** `11 of 12 statements hold, 2 shown without a bar` */
function summary({ held, missed, shown }: Record<"held" | "missed" | "shown", number>): string {
  const judged = held + missed;
  return [
    ...(judged > 0 ? [`${held} of ${judged} statements hold`] : []),
    ...(shown > 0 ? [`${shown} shown without a bar`] : []),
  ].join(", ");
}

async function attempt(io: Io, { name, row, bars, run }: Statement): Promise<Outcome> {
  const begun = performance.now();
  const shown = progress(io, name);
  const figures = await run(shown.update).finally(shown.clear);
  const seconds = (performance.now() - begun) / 1000;
  const ok = bars.length === 0 ? null : bars.every((bar) => keeps(figures[bar.figure], bar));
  return { name, row, ok, figures, bars, seconds };
}

/** The share done, on a terminal; elsewhere the lines of the statements are enough. */
function progress({ stderr }: Io, name: string) {
  const show = (text: string) => stderr.isTTY && stderr.write(`\r\u001b[K${text}`);
  return {
    update: (share: number) => void show(`${name}  ${Math.floor(100 * share)} %`),
    clear: () => void show(""),
  };
}

function nameWidth(statements: readonly Statement[]): number {
  return Math.max(0, ...statements.map(({ name }) => name.length));
}

/** `ok      reversal/dot  exact 0.996 (≥ 0.95), alignment 1.000 (≥ 0.9), longer 0.003  31 s` */
function lineOf({ name, ok, figures, bars, seconds }: Outcome, width: number): string {
  const said = Object.entries(figures).map(([figure, value]) => {
    const bar = bars.find((one) => one.figure === figure);
    return `${figure} ${value.toFixed(3)}${bar ? ` (${boundOf(bar)})` : ""}`;
  });
  const verdict = ok === null ? "shown" : ok ? "ok" : "MISSED";
  return `${verdict.padEnd(6)}  ${name.padEnd(width)}  ${said.join(", ")}  ${Math.round(seconds)} s`;
}

function boundOf({ atLeast, atMost }: Bar): string {
  return [atLeast === undefined ? [] : `≥ ${atLeast}`, atMost === undefined ? [] : `≤ ${atMost}`]
    .flat()
    .join(", ");
}
