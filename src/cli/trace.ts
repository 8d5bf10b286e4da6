import { readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type Command, Option } from "commander";
import { FileError, UsageError } from "../core/errors.ts";
import { escapeControls } from "../core/escape-controls.ts";
import { fileReason } from "../core/file-reason.ts";
import { importTrace, type Trace } from "../inspect/index.ts";
import { type DrawOptions, THROUGH, type Through, type View } from "../views/index.ts";
import { PALETTES, type Palette } from "../viz/color.ts";
import { COLOR_SCALES, type ColorScale, type Theme } from "../viz/index.ts";
import { visible } from "../viz/text.ts";
import { oneOf, wholeNumber } from "./flags.ts";
import { type Io, write } from "./io.ts";

/** What `show`, `svg`, `png` and `html` have in common: a trace, and which part of it. */
export interface TraceFlags {
  view?: View;
  layer?: number[];
  head?: number[];
  query?: number;
  step?: number;
  gate?: string;
  through?: Through;
  glimpseSize?: [number, number];
  palette?: Palette;
  colorScale?: ColorScale;
  valueNorms?: boolean;
  theme?: Theme;
  softmax?: boolean;
  mostBytes?: number;
}

const MOST = 1_000_000;

/**
 * Adds the trace and the flags that choose a part of it.
 *
 * @param hasPairs whether several layers or heads can be chosen at once
 */
export function takesTrace(
  command: Command,
  views: readonly View[],
  hasPairs = views.includes("compare"),
): Command {
  const name = `heed ${command.name()}`;
  const list = (flag: string) => numberList(name, flag);
  return command
    .argument("<trace>", "a trace, .npz, .npy, BertViz's JSON or CSV; the contents decide, not the name")
    .addOption(new Option("--view <view>", views.join(", ")).argParser(oneOf(name, "--view", views)))
    .option(
      "--layer <n>",
      `the layer, from 0${hasPairs ? "; two for --view compare: 0,1" : ""}`,
      list("--layer"),
    )
    .option(
      "--head <n>",
      `the head, from 0${hasPairs ? "; several for --view heads and compare: 0,2,5" : ""}`,
      list("--head"),
    )
    .option("--softmax", "the numbers are scores: take the softmax of each row first")
    .option(
      "--most-bytes <n>",
      "the most memory that reading the trace may take (default: 2^30)",
      wholeNumber(name, "--most-bytes", 1, Number.MAX_SAFE_INTEGER, "try --most-bytes 4294967296"),
    )
    .option(
      "--through <way>",
      `for --view rollout: ${THROUGH.join(", ")} (default: rollout)`,
      oneOf(name, "--through", THROUGH),
    )
    .option("--palette <name>", PALETTES.join(", "), oneOf(name, "--palette", PALETTES))
    .option(
      "--color-scale <scale>",
      `how colours follow weights in heat maps: ${COLOR_SCALES.join(", ")} (default: linear)`,
      oneOf(name, "--color-scale", COLOR_SCALES),
    );
}

/** The flag of the commands that draw a heat map themselves. */
export function takesNorms(command: Command): Command {
  const what = "for --view heatmap: each weight times the length of its key's value, vnorm in the trace";
  return command.option("--value-norms", what);
}

/** The flags of pictures, which have views that a terminal has not. */
export function takesMore(command: Command): Command {
  const name = `heed ${command.name()}`;
  return command
    .option(
      "--query <n>",
      "the query, from 0: for the views neuron, and image where patches look at patches",
      wholeNumber(name, "--query", 0, MOST, "try --query 0"),
    )
    .option(
      "--step <n>",
      "one glimpse, from 0 (default: the first eight)",
      wholeNumber(name, "--step", 0, MOST, "try --step 0"),
    )
    .option("--gate <name>", "the gate, for the view gates")
    .option("--glimpse-size <RxC>", "rows and columns of a Gaussian glimpse, such as 12x12", (text: string) =>
      glimpseSize(name, text),
    );
}

/** Flags as the views take them. */
export function drawOptions(flags: TraceFlags): DrawOptions {
  const { layer, head, softmax: _, mostBytes: __, ...rest } = flags;
  const one = (list: number[]) => (list.length === 1 ? list[0]! : list);
  // Of all views it is the only one that shows them.
  const view = rest.view ?? (rest.valueNorms ? "heatmap" : undefined);
  return {
    ...rest,
    ...(view && { view }),
    ...(layer && { layer: one(layer) }),
    ...(head && { head: one(head) }),
  };
}

/** @throws FileError CANNOT_READ · DataError, for a file that is no trace */
export function readTraceFile(
  command: string,
  file: string,
  { softmax, mostBytes }: TraceFlags,
  onWarning: (message: string) => void,
): Trace {
  const options = { ...(softmax && { softmax }), ...(mostBytes !== undefined && { mostBytes }) };
  const trace = importTrace(readWhole(command, file), path.basename(file), options);
  for (const warning of trace.warnings ?? []) onWarning(escapeControls(warning));
  return trace;
}

/** @throws FileError CANNOT_READ */
export function readWhole(command: string, file: string): Uint8Array {
  try {
    if (statSync(file).isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    return readFileSync(file);
  } catch (error) {
    throw new FileError("CANNOT_READ", { command, path: visible(file), reason: fileReason(error) });
  }
}

type Drawn = string | Uint8Array;

/** What a command draws a trace by. */
interface Drawing<Flags> {
  /** Of the file, when nothing is said. */
  readonly extension: string;
  draw(trace: Trace, flags: Flags, onWarning: (message: string) => void): Drawn | Promise<Drawn>;
}

/** Adds `--out`, and does what the command is for: reads the trace, draws it, writes the file. */
export function drawsFile<Flags extends TraceFlags>(
  io: Io,
  command: Command,
  { extension, draw }: Drawing<Flags>,
): Command {
  const name = `heed ${command.name()}`;
  const place = `TRACE${extension} in this folder`;
  return command
    .option("--out <file>", `where to; - is standard output (default: ${place})`)
    .action(async (file: string, { out, ...flags }: Flags & { out?: string }) => {
      const onWarning = (message: string) => void io.stderr.write(`${message}\n`);
      const drawn = await draw(
        readTraceFile(name, file, flags, onWarning),
        flags as unknown as Flags,
        onWarning,
      );
      await writeOut(io, name, out ?? defaultOut(file, extension), drawn);
    });
}

/** Where a picture of a trace goes when nothing is said: into the current folder, under the trace's name. */
function defaultOut(file: string, extension: string): string {
  return `${path.parse(file).name}${extension}`;
}

/** Writes a picture to a file and says so, or to standard output for "-". */
async function writeOut(io: Io, command: string, out: string, data: string | Uint8Array): Promise<void> {
  if (out === "-") return write(io.stdout, data);
  try {
    writeFileSync(out, data);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === "ENOENT" ? `no folder ${path.dirname(out)}` : fileReason(error);
    throw new FileError("CANNOT_WRITE", { command, path: visible(out), reason });
  }
  io.stderr.write(`${command}: drew ${visible(out)}\n`);
}

function numberList(command: string, flag: string) {
  return (text: string): number[] => {
    if (/^\d{1,6}(,\d{1,6})*$/.test(text)) return text.split(",").map(Number);
    const rule = "a whole number from 0, or several with commas";
    throw new UsageError("FLAG_VALUE", { command, flag, rule, got: text, remedy: `try ${flag} 0` });
  };
}

function glimpseSize(command: string, text: string): [number, number] {
  const [, rows, columns] = /^([1-9]\d{0,2})x([1-9]\d{0,2})$/.exec(text) ?? [];
  if (rows && columns) return [Number(rows), Number(columns)];
  const details = { command, flag: "--glimpse-size", rule: "rows x columns", got: text };
  throw new UsageError("FLAG_VALUE", { ...details, remedy: "try --glimpse-size 12x12" });
}
