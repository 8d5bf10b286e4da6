import { Command } from "commander";
import { PAGE_VIEWS, standaloneHtml } from "../elements/standalone.ts";
import { looksAtImage } from "../inspect/grid.ts";
import type { Trace } from "../inspect/index.ts";
import { defaultView, type View } from "../views/index.ts";
import { held, needLayers } from "../views/layers.ts";
import { refuse } from "../views/options.ts";
import { figuresFor } from "../views/page-figures.ts";
import type { Io } from "./io.ts";
import { drawOptions, drawsFile, type TraceFlags, takesMore, takesTrace } from "./trace.ts";

const NAME = "heed html";
const MEGABYTE = 1_000_000;
/** Larger pages take browsers seconds to open. */
const LARGE = 20 * MEGABYTE;

const HELP = `
One file that asks for nothing else: the elements of heed/elements with the trace, and below them, as still
pictures, what they do not draw and the trace has: glimpses, statistics, rollout (up to 256 tokens), neuron view
(up to 128 keys), gates. It follows the reader's light or dark, and keeps a picture and a table of one head where
scripts are off. Without a view: words over an image where the trace has one, else all heads, or the map of the
only one.

  heed html t.attn
  heed html t.attn --view flow --layer 2 --head 5 --out flow.html
  heed html glimpses.attn --glimpse-size 12x12
`;

/** `heed html TRACE`: a trace as a page of its own. */
export function htmlCommand(io: Io): Command {
  const command = takesTrace(
    new Command("html").description("Writes a trace as one HTML page that works without a network."),
    PAGE_VIEWS,
    false,
  );
  return drawsFile(io, takesMore(command), {
    extension: ".html",
    draw(trace, flags, onWarning) {
      const html = page(trace, flags, onWarning);
      const warning = warningOfSize(Buffer.byteLength(html));
      if (warning) onWarning(warning);
      return html;
    },
  }).addHelpText("after", HELP);
}

/** A sentence for whoever makes a page that is slow to open; undefined for the others. */
export function warningOfSize(bytes: number): string | undefined {
  if (bytes <= LARGE) return undefined;
  const size = `${Math.round(bytes / MEGABYTE)} MB`;
  return `${NAME}: the page has ${size} and will open slowly; a trace of fewer layers or tokens, or of f16, makes a smaller one`;
}

function page(trace: Trace, flags: TraceFlags, onWarning: (message: string) => void): string {
  const { view, layer, head, ...others } = drawOptions(flags);
  const options = { ...others, layer: one("layer", layer), head: one("head", head) };
  const figures = figuresFor(NAME, trace, { ...options, onWarning });
  return standaloneHtml(trace, { ...options, view: firstView(trace, view), figures });
}

function one(name: "layer" | "head", given: number | readonly number[] | undefined): number | undefined {
  if (typeof given !== "object") return given;
  return refuse(NAME, name, "be one number", given.join(","), "choose the others in the page");
}

/** The view in front: the one that was named, where the page has it, else the one that the trace is best seen as. */
function firstView(trace: Trace, named: View | undefined): (typeof PAGE_VIEWS)[number] {
  if (named) {
    const layers = needLayers(NAME, named, trace);
    const place = `a trace for the view ${named}`;
    const heads = layers.reduce((sum, { H }) => sum + H, 0);
    if (named === "image" && !layers.some(({ S }) => looksAtImage(trace, S))) {
      const rule = "have an image, its grid and a layer that looks at it";
      refuse(NAME, place, rule, held(trace), "choose another view");
    }
    if (named === "compare" && heads < 2)
      refuse(NAME, place, "have two heads", String(heads), "choose another view");
  }
  const wanted = named ?? defaultView(trace);
  return PAGE_VIEWS.find((view) => view === wanted) ?? "heatmap";
}
