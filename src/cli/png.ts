import { Command } from "commander";
import { PNG_VIEWS } from "../views/index.ts";
import { pngView } from "../views/png-trace.ts";
import { wholeNumber } from "./flags.ts";
import type { Io } from "./io.ts";
import { defaultOut, drawOptions, readTraceFile, type TraceFlags, takesTrace, writeOut } from "./trace.ts";

const NAME = "heed png";

const HELP = `
The cells of one map and nothing else: no words, no axes; heed svg has those. A pixel is an index into the
palette, the whole part of 256 · weight; masked cells are grey, and a file that has any holds colours in place
of indices. Maps above 4096 cells a side show the largest weight of each block. The file's text says what it
shows: Title, and heed as JSON (view, layer, head, shape, palette, domain, cell).

  heed png t.attn
  heed png t.attn --layer 2 --head 5 --cell 1 --out head.png
`;

/** `heed png TRACE`: the cells of a map, as a PNG image. */
export function pngCommand(io: Io): Command {
  return takesTrace(
    new Command("png").description("Writes the cells of one map of a trace as a PNG image, exactly."),
    PNG_VIEWS,
  )
    .option(
      "--cell <px>",
      "pixels a side of a cell (default: as many as fit 512)",
      wholeNumber(NAME, "--cell", 1, 1024, "try --cell 8"),
    )
    .option("--out <file>", "where to; - is standard output (default: TRACE.png in this folder)")
    .addHelpText("after", HELP)
    .action(async (file: string, { out, ...flags }: TraceFlags & { out?: string; cell?: number }) => {
      const { cell, ...chosen } = flags;
      const trace = readTraceFile(NAME, file);
      const png = pngView(NAME, trace, { ...drawOptions(chosen), ...(cell !== undefined && { cell }) });
      await writeOut(io, NAME, out ?? defaultOut(file, ".png"), png);
    });
}
