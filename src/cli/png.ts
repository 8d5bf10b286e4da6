import { Command } from "commander";
import type { Trace } from "../inspect/index.ts";
import { rendered } from "../raster/render-png.ts";
import { defaultView, drawView } from "../views/draw-trace.ts";
import { VIEWS } from "../views/index.ts";
import { pngView } from "../views/png-trace.ts";
import { oneOf, wholeNumber } from "./flags.ts";
import type { Io } from "./io.ts";
import { mapsOf } from "./maps.ts";
import {
  drawOptions,
  drawsFile,
  readWhole,
  type TraceFlags,
  takesMore,
  takesNorms,
  takesTrace,
} from "./trace.ts";

const NAME = "heed png";
/** A PNG has no reader whom it could follow. */
const THEMES = ["light", "dark"] as const;

const HELP = `
The picture that heed svg draws, as pixels: twice as many as it has, or --scale. The words are in DejaVu Sans, the
same on every machine; letters that it lacks need a font of yours: --font NotoSansCJK-Regular.ttc.

With --cell the cells of one map and nothing else (views heatmap and rollout): a pixel is an index into the
palette, the whole part of 256 · weight; masked cells are grey, and a file that has any holds colours in place
of indices. Maps above 4096 cells a side show the largest weight of each block.

The file's text says what it shows: Title, and heed as JSON.

  heed png t.attn
  heed png t.attn --view flow --layer 2 --head 5 --theme dark --scale 4
  heed png t.attn --layer 2 --head 5 --cell 1 --out head.png
`;

interface Flags extends TraceFlags {
  cell?: number;
  scale?: number;
  font?: string[];
}

/** `heed png TRACE`: a picture as PNG, or the bare cells of a map. */
export function pngCommand(io: Io): Command {
  const command = takesTrace(
    new Command("png").description("Draws a trace of attention as a PNG picture."),
    VIEWS,
  );
  takesNorms(takesMore(command))
    .option("--theme <theme>", THEMES.join(", "), oneOf(NAME, "--theme", THEMES))
    .option(
      "--scale <n>",
      "pixels for each of the picture's (default: 2)",
      wholeNumber(NAME, "--scale", 1, 8, "try --scale 2"),
    )
    .option(
      "--font <file>",
      "a font for letters that DejaVu Sans lacks; may be repeated",
      (file, files: string[] = []) => [...files, file],
    )
    .option(
      "--cell <px>",
      "the cells alone, exactly, with so many pixels a side",
      wholeNumber(NAME, "--cell", 1, 1024, "try --cell 8"),
    );
  return drawsFile<Flags>(io, command, { extension: ".png", draw }).addHelpText("after", HELP);
}

async function draw(trace: Trace, flags: Flags, onWarning: (message: string) => void): Promise<Uint8Array> {
  const { cell, scale, font = [], ...chosen } = flags;
  const options = drawOptions(chosen);
  const maps = await mapsOf(trace);
  if (cell !== undefined) return pngView(NAME, trace, { ...options, ...maps, cell });
  const view = options.view ?? defaultView(trace);
  const svg = drawView(NAME, trace, { theme: "light", ...options, onWarning, ...maps });
  const fonts = font.map((file) => readWhole(NAME, file));
  const text = { Title: trace.name ?? view, heed: JSON.stringify({ view, ...options }) };
  return rendered(NAME, svg, { fonts, text, onWarning, ...(scale && { scale }) });
}
