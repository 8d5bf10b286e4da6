import { Command } from "commander";
import { PNG_VIEWS } from "../views/index.ts";
import { pngView } from "../views/png-trace.ts";
import { wholeNumber } from "./flags.ts";
import type { Io } from "./io.ts";
import { drawOptions, drawsFile, type TraceFlags, takesTrace } from "./trace.ts";

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
  const command = takesTrace(
    new Command("png").description("Writes the cells of one map of a trace as a PNG image, exactly."),
    PNG_VIEWS,
  ).option(
    "--cell <px>",
    "pixels a side of a cell (default: as many as fit 512)",
    wholeNumber(NAME, "--cell", 1, 1024, "try --cell 8"),
  );
  return drawsFile<TraceFlags & { cell?: number }>(io, command, {
    extension: ".png",
    draw: (trace, { cell, ...chosen }) =>
      pngView(NAME, trace, { ...drawOptions(chosen), ...(cell !== undefined && { cell }) }),
  }).addHelpText("after", HELP);
}
