// docs/VIEWS.md and its pictures: every view, by what draws it.
import * as tf from "@tensorflow/tfjs-core";
import { RECORDS } from "../../build/views/list.js";
import { isFor } from "../../build/views/view.js";
import { drawTrace } from "../../dist/views/index.js";
import { pipelineDiagram } from "../../dist/viz/index.js";
import {
  gateTrace,
  gaussianTrace,
  glimpseTrace,
  imageTrace,
  pipelineCall,
  sentenceTrace,
} from "./traces.mjs";

const PREFACE = `# Views

Made by \`npm run gallery\` from attention that it computes: two layers of four heads over eleven words, in which head h of
the first layer looks h words back and the heads of the second look ever more at equal words; a picture with a bright disc.

A view is drawn by \`heed svg TRACE --view NAME\` and \`drawTrace(trace, { view: "NAME" })\` of \`heed/views\`; in the terminal by
\`heed show\`, as pixels by \`heed png\`, on a page by the elements of \`heed/elements\` and \`heed/elements/figures\`.
Weights are coloured from 0 to 1 unless a picture says otherwise, as it does where most of them are small; what may not be attended to is hatched, never 0.
`;

/** { page, pictures by name }: of each view, of the first trace that is worth it. */
export async function drawViews() {
  await tf.setBackend("heed");
  const traces = [sentenceTrace(), imageTrace(), glimpseTrace(), gaussianTrace(), gateTrace()];
  const theme = /** @type {const} */ ("auto");
  /** @type {Record<string, string>} */
  const pictures = {};
  const entries = RECORDS.map((record) => {
    const { name, caption, example } = record;
    const trace = traces.find((candidate) => isFor(record, candidate));
    if (!trace) throw new Error(`the gallery has no trace for the view ${name}`);
    pictures[name] = drawTrace(trace, { ...example, view: name, theme });
    return { name, caption, by: `--view ${name}` };
  });
  pictures.pipeline = pipelineDiagram(pipelineCall(), { theme });
  entries.push({
    name: /** @type {never} */ ("pipeline"),
    caption: "The steps of one call, with its shapes on the arrows.",
    by: "pipelineDiagram",
  });
  const sections = entries.map(
    ({ name, caption, by }) =>
      `## ${name}\n\n${caption} Drawn by \`${by}\`.\n\n![${caption}](images/views/${name}.svg)\n`,
  );
  return { page: `${PREFACE}\n${sections.join("\n")}`, pictures };
}
