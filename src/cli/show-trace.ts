import { Command, Option } from "commander";
import type { Trace } from "../inspect/index.ts";
import { TERMINAL_VIEWS } from "../views/index.ts";
import { showView } from "../views/show-trace.ts";
import type { TerminalFormat } from "../viz/index.ts";
import { terminalCapabilities } from "../viz/terminal/capabilities.ts";
import { oneOf } from "./flags.ts";
import { type Io, write } from "./io.ts";
import { mapsOf } from "./maps.ts";
import { COLORS } from "./show.ts";
import { drawOptions, readTraceFile, type TraceFlags, takesNorms, takesTrace } from "./trace.ts";

const NAME = "heed show";
const FORMATS = ["map", "text"] as const satisfies TerminalFormat[];

interface Flags extends TraceFlags {
  format?: TerminalFormat;
  color?: (typeof COLORS)[number];
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
    .addHelpText("after", HELP)
    .action(async (file: string, { format, color = "auto", ...flags }: Flags) => {
      const onWarning = (message: string) => void io.stderr.write(`${message}\n`);
      const trace = readTraceFile(NAME, file, flags, onWarning);
      const terminal = terminalCapabilities({ env: io.env, stream: io.stdout, color });
      const options = {
        ...terminal,
        ...drawOptions(flags),
        onWarning,
        ...(await mapsOf(trace)),
        ...(format && { format }),
      };
      const shown = showView(NAME, trace, options);
      await write(io.stdout, `${shown}\n${hint(trace, flags, terminal.isTTY)}`);
    });
}

/** Who sees one head of many should know how to see the others. */
function hint({ layers }: Trace, { view, layer, head }: Flags, isTTY: boolean): string {
  const heads = layers.reduce((sum, { H }) => sum + H, 0);
  if (!isTTY || heads < 2 || layer || head || (view !== undefined && view !== "heatmap")) return "";
  const where = layers.length === 1 ? "1 layer" : `${layers.length} layers`;
  return `\n${heads} heads in ${where}: --layer, --head and --view grid show the others.\n`;
}
