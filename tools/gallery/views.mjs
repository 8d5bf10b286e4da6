// docs/VIEWS.md and its pictures: every view, by what draws it.
import * as tf from "@tensorflow/tfjs-core";
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
Weights are coloured from 0 to 1 unless a picture says otherwise; what may not be attended to is hatched, never 0.
`;

/** { page, pictures by name } */
export async function drawViews() {
  await tf.setBackend("heed");
  const sentence = sentenceTrace();
  const theme = /** @type {const} */ ("auto");
  const figures = /** @type {const} */ ([
    ["heatmap", "One head: a row for each query, a column for each key.", sentence, { head: 1 }],
    ["flow", "One head as lines from what was read to what read it, thick by weight.", sentence, { head: 1 }],
    ["heads", "The heads of a layer over one another, a colour and a dash for each.", sentence, {}],
    ["grid", "All heads of all layers, to see which is worth a look.", sentence, {}],
    [
      "neuron",
      "Which channels make the scores of one query, from q and k.",
      sentence,
      { layer: 1, head: 3, query: 4 },
    ],
    ["statistics", "What each head does: entropy, reach, first key, diagonal.", sentence, {}],
    [
      "compare",
      "Two heads and their difference, orange for less and purple for more.",
      sentence,
      { layer: 1, head: [1, 3] },
    ],
    ["rollout", "How much of each output comes from each input, through all layers.", sentence, {}],
    ["image", "What each word looked at in a picture.", imageTrace(), {}],
    ["glimpse", "Where a model looked, and what it saw there.", glimpseTrace(), {}],
    ["marginals", "A Gaussian glimpse as the product of its rows and columns.", gaussianTrace(), {}],
    ["gates", "A gate's openings, channel by channel.", gateTrace(), {}],
  ]);
  /** @type {Record<string, string>} */
  const pictures = {};
  const entries = figures.map(([view, sentence, trace, options]) => {
    pictures[view] = drawTrace(trace, { ...options, view, theme });
    return { name: view, sentence, by: `--view ${view}` };
  });
  pictures.pipeline = pipelineDiagram(pipelineCall(), { theme });
  entries.push({
    name: "pipeline",
    sentence: "The steps of one call, with its shapes on the arrows.",
    by: "pipelineDiagram",
  });
  const sections = entries.map(
    ({ name, sentence, by }) =>
      `## ${name}\n\n${sentence} Drawn by \`${by}\`.\n\n![${sentence}](images/views/${name}.svg)\n`,
  );
  return { page: `${PREFACE}\n${sections.join("\n")}`, pictures };
}
