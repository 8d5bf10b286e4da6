import { Command } from "commander";
import { drawTrace, VIEWS } from "../views/index.ts";
import { THEMES } from "../viz/svg/theme.ts";
import { oneOf } from "./flags.ts";
import type { Io } from "./io.ts";
import { drawsFile, takesMore, takesNorms, takesTrace } from "./trace-flags.ts";

const NAME = "heed svg";

const HELP = `
Without a view: words over an image where the trace has one, else all heads, or the map of the only one.

  heed svg t.attn
  heed svg t.attn --view heads --layer 2
  heed svg t.attn --view compare --head 0,3 --out difference.svg
`;

/** `heed svg TRACE`: a picture of a trace, as an SVG document. */
export function svgCommand(io: Io): Command {
  const command = takesTrace(
    new Command("svg").description("Draws a trace of attention as an SVG picture."),
    VIEWS,
  );
  takesNorms(takesMore(command)).option(
    "--theme <theme>",
    `${THEMES.join(", ")}; auto follows the reader`,
    oneOf(NAME, "--theme", THEMES),
    "auto",
  );
  return drawsFile(io, command, { extension: ".svg", draw: drawTrace }).addHelpText("after", HELP);
}
