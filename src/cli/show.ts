import { Command, Option } from "commander";
import type { Trace } from "../inspect/index.ts";
import { showTrace, TERMINAL_VIEWS } from "../views/index.ts";
import { headCount } from "../views/view.ts";
import type { TerminalFormat } from "../viz/index.ts";
import { terminalCapabilities } from "../viz/terminal/capabilities.ts";
import { oneOf, wholeNumber } from "./flags.ts";
import { type Io, write } from "./io.ts";
import { type TraceFlags, takesNorms, takesTrace, withTrace } from "./trace-flags.ts";
import { COLORS } from "./translation-output.ts";

const NAME = "heed show";
const FORMATS = ["map", "text"] as const satisfies TerminalFormat[];

interface Flags extends TraceFlags {
  format?: TerminalFormat;
  color?: (typeof COLORS)[number];
  lines?: number;
}

const HELP = `
Without a view: the map of the first head. In a terminal it has colours where the terminal has them; elsewhere
it is text, what each query looks at most.

  heed show t.attn
  heed show t.attn --view flow --layer 2 --head 5
  heed show t.attn --view grid
`;

/** `heed show TRACE`: a trace in the terminal. */
export function showCommand(io: Io): Command {
  return takesNorms(
    takesTrace(
      new Command("show").description("Shows a trace of attention in the terminal."),
      TERMINAL_VIEWS,
    ),
  )
    .addOption(
      new Option("--format <format>", "map, or text: what each query looks at most").argParser(
        oneOf(NAME, "--format", FORMATS),
      ),
    )
    .option("--color <when>", "always, never or auto", oneOf(NAME, "--color", COLORS))
    .option(
      "--lines <n>",
      "the most queries that text names, those with the largest weights (default: 64)",
      wholeNumber(NAME, "--lines", 1, 1_000_000, "try --lines 100"),
    )
    .addHelpText("after", HELP)
    .action(async (file: string, { format, lines, color = "auto", ...flags }: Flags) => {
      const terminal = terminalCapabilities({ env: io.env, stream: io.stdout, color });
      const shown = await withTrace(io, NAME, file, flags, (trace, options) => {
        const own = { ...terminal, ...(format && { format }), ...(lines && { lines }) };
        return `${showTrace(trace, { ...options, ...own })}\n${hint(trace, flags, terminal.isTTY)}`;
      });
      await write(io.stdout, shown);
    });
}

/** Who sees one head of many should know how to see the others. */
function hint(trace: Trace, { view, layer, head }: Flags, isTTY: boolean): string {
  const heads = headCount(trace);
  if (!isTTY || heads < 2 || layer || head || (view !== undefined && view !== "heatmap")) return "";
  const { length } = trace.layers;
  const where = length === 1 ? "1 layer" : `${length} layers`;
  return `\n${heads} heads in ${where}: --layer, --head and --view grid show the others.\n`;
}
