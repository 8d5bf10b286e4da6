import { Command } from "commander";
import { PAGE_VIEWS, standaloneHtml } from "../elements/standalone.ts";
import type { Trace } from "../inspect/index.ts";
import { type DrawOptions, defaultView, pageFigures } from "../views/index.ts";
import { recordOf } from "../views/list.ts";
import { refuse } from "../views/named.ts";
import { checkNeeds, checkSuits } from "../views/view.ts";
import type { Io } from "./io.ts";
import { drawsFile, takesMore, takesTrace } from "./trace-flags.ts";

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
  );
  return drawsFile(io, takesMore(command), {
    extension: ".html",
    draw(trace, options) {
      const html = page(trace, options);
      const warning = warningOfSize(Buffer.byteLength(html));
      if (warning) options.onWarning(warning);
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

function page(trace: Trace, { view, layer, head, ...others }: DrawOptions): string {
  const options = { ...others, layer: one("layer", layer), head: one("head", head) };
  const figures = pageFigures(trace, options);
  return standaloneHtml(trace, { ...options, view: firstView(trace, view), figures });
}

function one(name: "layer" | "head", given: number | readonly number[] | undefined): number | undefined {
  if (typeof given !== "object") return given;
  return refuse(name, "be one number", given.join(","), "choose the others in the page");
}

/** The view in front: the one that was named, where the page has it, else the one that the trace is best seen as. */
function firstView(trace: Trace, name: DrawOptions["view"]): (typeof PAGE_VIEWS)[number] {
  const record = name && recordOf(name);
  if (record) {
    checkNeeds({ name, needs: ["layers"] }, trace);
    checkSuits(record, trace);
  }
  const wanted = name ?? defaultView(trace);
  return PAGE_VIEWS.find((view) => view === wanted) ?? "heatmap";
}
