import { Command } from "commander";
import { defaultView, drawTrace, pngTrace, VIEWS } from "../views/index.ts";
import { renderPng } from "../views/render-png.ts";
import { oneOf, wholeNumber } from "./flags.ts";
import type { Io } from "./io.ts";
import { drawsFile, readWhole, takesMore, takesNorms, takesTrace } from "./trace-flags.ts";

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

interface Flags {
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
  return drawsFile<Flags>(io, command, {
    extension: ".png",
    async draw(trace, options, { cell, scale, font = [] }) {
      if (cell !== undefined) return pngTrace(trace, { ...options, cell });
      const view = options.view ?? defaultView(trace);
      const svg = drawTrace(trace, { theme: "light", ...options });
      const fonts = font.map((file) => readWhole(NAME, file));
      // Functions are no JSON: what is left says which part is shown, and how.
      const text = { Title: trace.name ?? view, heed: JSON.stringify({ view, ...options }) };
      const { onWarning } = options;
      return renderPng(svg, { fonts, text, onWarning, ...(scale && { scale }) });
    },
  }).addHelpText("after", HELP);
}
