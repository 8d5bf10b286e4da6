// Writes docs/MODELS.md, the models that ship, from their cards in weights/. `--print` prints the page instead; a test compares
// that with the file.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { formatted } from "./formatted.mjs";
import "../quiet-pipe.mjs";

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const weights = path.join(root, "weights");
const file = path.join(root, "docs/MODELS.md");

const whole = (/** @type {number} */ n) => Math.round(n).toLocaleString("en-US");
const percent = (/** @type {number} */ share, digits = 1) => `${(100 * share).toFixed(digits)} %`;
const row = (/** @type {string[]} */ cells) => `| ${cells.join(" | ")} |`;

/** The scores of a model of several languages. */
const ofLanguages = (/** @type {any} */ { metrics, reliability, alignment }) => [
  ...Object.entries(metrics).map(([to, { bleu, chrf, sources, command }]) => [
    `Test, ${to}`,
    `BLEU ${bleu.toFixed(1)}, chrF ${chrf.toFixed(1)} over ${whole(sources)} sentences (\`${command}\`)`,
  ]),
  [
    "Confidence",
    `Off by ${percent(reliability.error)} on average (expected calibration error over ${reliability.bins.length} bins of the ${reliability.split} splits); good is a chrF of ${reliability.goodChrf} or more`,
  ],
  [
    "Alignment",
    `Decoder layer ${alignment.layer}, ${alignment.heads.length === 1 ? `head ${alignment.heads[0]}` : `the mean of heads ${alignment.heads.join(", ")}`}`,
  ],
];

/** What each task calls its scores, on validation and on the test split. @type {Record<string, (card: any) => string[][]>} */
const SCORES = {
  translation: (card) => {
    const { metrics, training, languages } = card;
    if (languages) return ofLanguages(card);
    return [
      [
        "Test",
        `BLEU ${metrics.bleu.toFixed(1)}, chrF ${metrics.chrf.toFixed(1)} over ${whole(metrics.sources)} sentences (\`${metrics.command}\`)`,
      ],
      ["Validation", `BLEU ${training.validation.bleu.toFixed(1)}`],
    ];
  },
  "language-model": ({ metrics, training }) => [
    [
      "Test",
      `${metrics.bits.toFixed(3)} bits a character over ${whole(metrics.characters)}, with ${metrics.context} or more before each (\`${metrics.command}\`)`,
    ],
    ["Validation", `${training.validation.bits.toFixed(3)} bits a character`],
  ],
  "image-classification": ({ metrics, training }) => [
    ["Test", `${percent(metrics.accuracy, 2)} of ${whole(metrics.images)} images (\`${metrics.command}\`)`],
    ["Validation", percent(training.validation.accuracy, 2)],
  ],
  summarization: ({ metrics, training, without }) => [
    [
      "Test",
      `ROUGE-1 ${metrics.rouge1.toFixed(1)}, -2 ${metrics.rouge2.toFixed(1)}, -L ${metrics.rougeL.toFixed(1)} over ${whole(metrics.sources)} texts (\`${metrics.command}\`)`,
    ],
    [
      "Without a model",
      `The first ${metrics.lead.words} words: ROUGE-L ${metrics.lead.rougeL.toFixed(1)}; the whole text: ${metrics.copy.rougeL.toFixed(1)}${metrics.people ? `; people, each against the others: ${metrics.people.rougeL.toFixed(1)}` : ""}`,
    ],
    [
      "Copying",
      `Of ${whole(metrics.pointed.words)} words outside of the vocabulary ${percent(metrics.pointed.share)} are copied where the references have them, given these so far, ${percent(metrics.pointed.amongOwn)} come first among the text's own such words (${percent(metrics.pointed.byLot)} by lot); ${percent(metrics.copied.share)} of ${whole(metrics.copied.words)} that text and references share come through, ${percent(without.pointing.copied.share)} without pointing`,
    ],
    [
      "Chosen words",
      `Of all ${whole(metrics.chosen.offered)} such words of the texts ${percent(metrics.chosen.due)} are in the references; the summaries have ${whole(metrics.chosen.chosen)}, ${percent(metrics.chosen.right)} of them right. As many of the most repeated ones would bring ${percent(metrics.chosen.byRepetition)} through`,
    ],
    [
      "Repeated trigrams",
      `${percent(metrics.repeats, 2)}; ${percent(without.coverage.repeats, 2)} without coverage (\`${metrics.command} --no-coverage\`)`,
    ],
    ["Validation", `ROUGE-L ${training.validation.rougeL.toFixed(1)}`],
  ],
  "scene-grid": ({ metrics, training }) => [
    [
      "Test",
      `The cells name ${percent(metrics.accuracy)} of ${whole(metrics.items)} items in ${whole(metrics.scenes)} scenes (\`${metrics.command}\`)`,
    ],
    ["Validation", percent(training.validation.accuracy)],
  ],
  captioning: ({ metrics, training }) => [
    [
      "Test",
      `${percent(metrics.exact)} of ${whole(metrics.scenes)} captions are right word for word, of one to four items ${metrics.exactByItems.map((/** @type {number} */ share) => percent(share)).join(", ")}; ${percent(metrics.massInside)} of a noun's map lies inside its item (\`${metrics.command}\`)`,
    ],
    ["Validation", percent(training.validation.exact)],
  ],
  detection: ({ metrics, training }) => [
    [
      "Test",
      `AP50 ${metrics.precision.toFixed(3)} over ${whole(metrics.items)} items in ${whole(metrics.scenes)} scenes; in ${percent(metrics.exact)} of the scenes all is found and nothing else (\`${metrics.command}\`)`,
    ],
    ["Validation", `AP50 ${training.validation.precision.toFixed(3)}`],
  ],
  "visual-questions": ({ metrics, training, source }) => [
    [
      "Test",
      `${percent(metrics.accuracy)} of ${whole(metrics.questions)} questions about ${whole(metrics.pictures)} ${source === "rows" ? "pictures" : "scenes"}, the commonest answer to each ${percent(metrics.majority)} (\`${metrics.command}\`)`,
    ],
    // Of what people wrote neither kinds nor the places of items are known.
    ...(metrics.mass === null
      ? []
      : [
          [
            "By kind",
            Object.entries(metrics.kinds)
              .map(([kind, { accuracy }]) => `${kind} ${percent(accuracy)}`)
              .join(", "),
          ],
          [
            "Attention",
            `${percent(metrics.mass)} of a named word's map lies on its item, which the loss asks for`,
          ],
        ]),
    ["Validation", percent(training.validation.accuracy)],
  ],
  // The others that were trained here stand beside the same model without one part.
  formants: ({ metrics }) =>
    metrics.levels.map((/** @type {any} */ level) => [
      `Test, ${level.snr} dB`,
      `${percent(level.accuracy)} of ${whole(metrics.clips)} vowels, ${percent(level.baselineAccuracy)} without the gate; ${percent(level.gateMass)} of the gate on informative bands, which are ${percent(level.evenMass)} of all (\`${metrics.command}\`)`,
    ]),
  forecasting: ({ metrics }) => [
    [
      "Test",
      `Squared error ${metrics.mse.toFixed(4)} over ${whole(metrics.windows)} windows, ${metrics.baselineMse.toFixed(4)} without selection, ${metrics.persistenceMse.toFixed(4)} of what was last (\`${metrics.command}\`)`,
    ],
  ],
  tracking: ({ metrics, drawn }) =>
    [metrics, drawn].map((/** @type {any} */ one, n) => [
      n === 0 ? "Test" : "Drawn digits",
      `${percent(one.reappeared)} of ${whole(one.videos)} hidden digits followed where they come out, ${percent(one.baselineReappeared)} without the prior, ${timesOf(one.reappeared, one.baselineReappeared)}; in the third frame after ${percent(one.recovery)} and ${percent(one.baselineRecovery)}, ${timesOf(one.recovery, one.baselineRecovery)}; followed before ${percent(one.before)} and ${percent(one.baselineBefore)} (\`${one.command}\`)`,
    ]),
  // Others trained it: whose it is, and what it was compared with here.
  "atom-mapping": ({ metrics, source }) => [
    ["Source", `${source.package}, ${source.licence}. ${source.paper}`],
    ["Changes", `${source.changes} Made by \`${source.command}\`.`],
    [
      "Compared",
      `${whole(metrics.equal)} of ${whole(metrics.reactions)} reactions are mapped as by ${metrics.against}, sign by sign; confidences differ by ${metrics.confidence.toExponential(1)} at most (\`${metrics.command}\`)`,
    ],
  ],
};

/** What one item of a training batch is called. @type {Record<string, string>} */
const ITEMS = {
  translation: "pieces",
  "language-model": "characters",
  "image-classification": "images",
  summarization: "words",
  "scene-grid": "scenes",
  captioning: "scenes",
  detection: "scenes",
  "visual-questions": "pictures",
};

/** How often as often: `2.63 times`. */
const timesOf = (/** @type {number} */ share, /** @type {number} */ other) =>
  `${(share / other).toFixed(2)} times`;

/** What a run began with, and what is said of it. */
const beforeOf = (/** @type {any} */ { before, note }) =>
  (before
    ? `, after ${whole(before.steps)} steps (${before.hours.toFixed(1)} h) of the model that it began with`
    : "") + (note ? `. ${note}` : "");

function section(/** @type {string} */ name) {
  const card = JSON.parse(readFileSync(path.join(weights, name, "card.json"), "utf8"));
  const megabytes = statSync(path.join(weights, name, "model.safetensors")).size / 1e6;
  const { training, data, speed, samples, limits } = card;
  // Figures of a model that was trained here are those of its float16 values.
  const type = training ? "float16" : "float32";
  const rows = [
    ["Parameters", `${whole(card.parameters)}, in ${type} ${megabytes.toFixed(1)} MB`],
    ...SCORES[card.task](card),
    ...[data].flat().map(({ name, licence, attribution }) => ["Data", `${name}, ${licence}. ${attribution}`]),
    ...(training
      ? [
          [
            "Training",
            `\`${training.command}\`, seed ${training.recipe.seed}: ${whole(training.steps)} steps, ${training.epochs.toFixed(1)} epochs, ${training.hours.toFixed(1)} h${beforeOf(training)}`,
          ],
        ]
      : []),
    ...(speed
      ? [
          [
            "Speed",
            `${speed.secondsPerStep} s a step, ${whole(speed.itemsPerSecond)} ${ITEMS[card.task]} a second in ${speed.threads} threads; ${percent(speed.kernelShare, 0)} of a step in heed's kernels (${speed.machine})`,
          ],
        ]
      : []),
  ];
  const table = [row(["", ""]), row(["---", "---"]), ...rows.map(row)].join("\n");
  const written = (samples ?? []).map((/** @type {any} */ { prompt, text, temperature, seed }) => {
    const title = `After ${JSON.stringify(prompt)}, temperature ${temperature}, seed ${seed}:`;
    return `${title}\n\n\`\`\`text\n${text.trimEnd()}\n\`\`\`\n`;
  });
  const what = limits.map((/** @type {string} */ limit) => `- ${limit}`).join("\n");
  return [`## ${card.name}`, card.description, table, ...written, `What it cannot do:\n\n${what}`].join(
    "\n\n",
  );
}

const names = readdirSync(weights).sort();
const page = formatted(
  `# The models that ship

Made by \`node tools/docs/models.mjs\` from the cards in \`weights/\`, which training writes, or what
brought a model here; change them there. Hours are those of the run, with whatever else the machine did; speeds were measured by \`node tools/cards.mjs\` on an idle one.

${names.map(section).join("\n\n")}
`,
  "MODELS.md",
);
if (process.argv.includes("--print")) process.stdout.write(page);
else writeFileSync(file, page);
