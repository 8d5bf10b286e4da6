import { Command } from "commander";
import { UsageError } from "../core/errors.ts";
import type { Io } from "./io.ts";
import { COMPARED_TASKS } from "./train-compared.ts";
import { type TrainTask, trainTaskCommand } from "./train-task.ts";

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** Every model that heed trains. */
const TASKS: readonly TrainTask[] = [
  {
    name: "translation",
    description: "Trains the recurrent English–French model.",
    data: "folder with train.tsv.gz, valid.tsv.gz and test.tsv.gz (default: the fetched data set)",
    folder: "runs/translation-en-fr",
    help: `The data set is the one that "heed data fetch tatoeba-en-fr" fetches.

  heed train translation --out my-model
  heed translate --model my-model "I am tired."`,
    card: "weights/translation-en-fr/card.json",
    async load() {
      const [{ DEFAULT_RECIPE }, { runTranslation }, { locateDataset }] = await Promise.all([
        import("../tasks/translation/recipe.ts"),
        import("../tasks/translation/run.ts"),
        import("../data/locate.ts"),
      ]);
      return {
        recipe: DEFAULT_RECIPE,
        async run(options) {
          const { evaluation } = await runTranslation(options);
          if (!evaluation) return undefined;
          const { bleu, chrf, exact } = evaluation;
          return `test BLEU ${bleu.toFixed(2)}, chrF ${chrf.toFixed(2)}, exact ${percent(exact)}`;
        },
        locate: locateDataset,
      };
    },
  },
  {
    name: "translation-multilingual",
    description: "Trains one Transformer from English to French, German and Spanish.",
    data: "folder with a folder for each language's data set (default: where the fetched ones are)",
    folder: "runs/translation-multilingual",
    help: `A run that is stopped leaves its model too, as far as it is, without figures. The data sets are those that
"heed data fetch tatoeba-en-fr" fetches, -de and -es.

  heed train translation-multilingual --out my-model
  heed translate --model my-model --to de "I am tired."`,
    card: "weights/translation-en/card.json",
    async load() {
      const [{ MULTILINGUAL_RECIPE }, { runMultilingual }, { locateCorpora }] = await Promise.all([
        import("../tasks/translation/multilingual/recipe.ts"),
        import("../tasks/translation/multilingual/run.ts"),
        import("../tasks/translation/multilingual/locate.ts"),
      ]);
      return {
        recipe: MULTILINGUAL_RECIPE,
        async run(options) {
          const { finished, card } = await runMultilingual(options);
          if (!finished) return undefined;
          const scores = Object.entries(card.metrics).map(([to, { bleu, chrf }]) => {
            return `${to} BLEU ${bleu.toFixed(2)}, chrF ${chrf.toFixed(2)}`;
          });
          return `test ${scores.join("; ")}`;
        },
        locate: locateCorpora,
      };
    },
  },
  {
    name: "summarization",
    description: "Trains a pointer-generator that sums up texts.",
    data: "folder with train, valid and test, each .tsv or .tsv.gz, of rows text<TAB>summary",
    folder: "runs/summarization",
    help: `There is no data set to fetch: give your own with --data. With the
recipe {"kind": "lite"} the files are train.lite.tsv and so on, and
with {"start": "summarization-arxiv"} a run goes on from that model.

  heed train summarization --data my-rows --out my-model
  heed summarize --model my-model "A text to be summed up."`,
    card: "weights/summarization-arxiv/card.json",
    async load() {
      const [{ DEFAULT_SUMMARIZATION_RECIPE }, { runSummarization }] = await Promise.all([
        import("../tasks/summarization/recipe.ts"),
        import("../tasks/summarization/run.ts"),
      ]);
      return {
        recipe: DEFAULT_SUMMARIZATION_RECIPE,
        async run(options) {
          const { evaluation } = await runSummarization(options);
          if (!evaluation) return undefined;
          const { rouge1, rouge2, rougeL, lead } = evaluation;
          const scores = `test ROUGE-1 ${rouge1.toFixed(2)}, -2 ${rouge2.toFixed(2)}, -L ${rougeL.toFixed(2)}`;
          return `${scores}; the first ${lead.words} words -L ${lead.rougeL.toFixed(2)}`;
        },
        locate(_name, { dir }) {
          if (dir !== undefined) return dir;
          const fault = {
            op: "heed train summarization",
            rule: "--data must name a folder of rows",
            got: "none",
          };
          throw new UsageError("USAGE", { ...fault, remedy: "add --data my-rows", flag: "--data" });
        },
      };
    },
  },
  {
    name: "detection",
    description: "Trains the detector of pieces of clothing in scenes.",
    data: "folder with the four files of MNIST or one of its kin (default: the fetched data set)",
    folder: "runs/detection",
    help: `Scenes are composed of the images as training goes on. It begins with the grid that ships with heed, which
stays as it is unless the recipe has "trainGrid": true; "model": {"nonLocal": 0} leaves the non-local block out. The data set is
the one that "heed data fetch fashion-mnist" fetches.

  heed train detection --out my-model
  heed detect --model my-model wardrobe.png`,
    card: "weights/detection/card.json",
    async load() {
      const [{ DEFAULT_DETECTION_RECIPE }, { runDetection }, { locateImages }] = await Promise.all([
        import("../tasks/detection/recipe.ts"),
        import("../tasks/detection/run.ts"),
        import("../data/labelled-images.ts"),
      ]);
      return {
        recipe: DEFAULT_DETECTION_RECIPE,
        async run(options) {
          const { evaluation } = await runDetection(options);
          if (!evaluation) return undefined;
          const { precision, exact } = evaluation;
          return `test AP50 ${precision.toFixed(3)}, scenes with all items and no other ${percent(exact)}`;
        },
        locate: locateImages,
      };
    },
  },
  {
    name: "language-model",
    description: "Trains a language model of characters on a text.",
    data: "folder with input.txt, and splits.json where its parts are fixed (default: the fetched data set)",
    folder: "runs/language-model",
    help: `The data set is the one that "heed data fetch tiny-shakespeare" fetches.

  heed train language-model --data my-text --out my-model
  heed evaluate language-model --model my-model --data my-text`,
    card: "weights/language-model-shakespeare/card.json",
    async load() {
      const [{ DEFAULT_LANGUAGE_MODEL_RECIPE }, { runLanguageModel }, { locateDataset }] = await Promise.all([
        import("../tasks/language-model/recipe.ts"),
        import("../tasks/language-model/run.ts"),
        import("../data/locate.ts"),
      ]);
      return {
        recipe: DEFAULT_LANGUAGE_MODEL_RECIPE,
        async run(options) {
          const { card } = await runLanguageModel(options);
          return card && `test ${card.metrics.bits.toFixed(3)} bits a character`;
        },
        locate: (name, { dir }) =>
          locateDataset(name, { ...(dir !== undefined && { dir }), files: ["input.txt"] }),
      };
    },
  },
  {
    name: "image-classification",
    description: "Trains the Vision Transformer that tells pieces of clothing apart.",
    data: "folder with the four files of MNIST or one of its kin (default: the fetched data set)",
    folder: "runs/image-classification",
    help: `The data set is the one that "heed data fetch fashion-mnist" fetches.

  heed train image-classification --out my-model
  heed evaluate image-classification --model my-model`,
    card: "weights/image-classification/card.json",
    async load() {
      const [{ DEFAULT_RECIPE }, { runClassification }, { locateImages }] = await Promise.all([
        import("../tasks/image-classification/recipe.ts"),
        import("../tasks/image-classification/run.ts"),
        import("../data/labelled-images.ts"),
      ]);
      return {
        recipe: DEFAULT_RECIPE,
        async run(options) {
          const { evaluation } = await runClassification(options);
          return evaluation && `test accuracy ${percent(evaluation.accuracy)}`;
        },
        locate: locateImages,
      };
    },
  },
  {
    name: "captioning",
    description: "Trains Show, Attend and Tell to caption scenes of items.",
    data: "folder with the four files of MNIST or one of its kin (default: the fetched data set)",
    folder: "runs/captioning",
    help: `The data set is the one that "heed data fetch fashion-mnist" fetches; scenes are composed
of its items. With the recipe {"model": {"kind": "hard"}} each word draws one place and learns by reward; with
{"start": "my-model", "model": {"contextDropout": 0.8}} my-model goes on, and learns to look at what it names.

  heed train captioning --out my-model
  heed evaluate captioning --model my-model
  heed caption --model my-model scene.png`,
    card: "weights/captioning/card.json",
    async load() {
      const [{ DEFAULT_CAPTIONING_RECIPE }, { runCaptioning }, { locateImages }] = await Promise.all([
        import("../tasks/captioning/recipe.ts"),
        import("../tasks/captioning/run.ts"),
        import("../data/labelled-images.ts"),
      ]);
      return {
        recipe: DEFAULT_CAPTIONING_RECIPE,
        async run(options) {
          const { evaluation } = await runCaptioning(options);
          if (!evaluation) return undefined;
          const { exact, massInside } = evaluation;
          return `test: exact captions ${percent(exact)}, ${percent(massInside)} of a noun's map inside its item`;
        },
        locate: locateImages,
      };
    },
  },
  {
    name: "scene-grid",
    description: "Trains the grid of features that models of scenes begin with.",
    data: "folder with the four files of MNIST or one of its kin (default: the fetched data set)",
    folder: "runs/scene-grid",
    help: `The data set is the one that "heed data fetch fashion-mnist" fetches.

  heed train scene-grid --out my-grid`,
    card: "weights/scene-grid/card.json",
    async load() {
      const [{ DEFAULT_GRID_RECIPE }, { runSceneGrid }, { locateImages }] = await Promise.all([
        import("../tasks/scenes/grid/recipe.ts"),
        import("../tasks/scenes/grid/run.ts"),
        import("../data/labelled-images.ts"),
      ]);
      return {
        recipe: DEFAULT_GRID_RECIPE,
        async run(options) {
          const { card } = await runSceneGrid(options);
          return card && `test accuracy ${percent(card.metrics.accuracy)} of ${card.metrics.items} items`;
        },
        locate: locateImages,
      };
    },
  },
  ...COMPARED_TASKS,
  {
    name: "visual-questions",
    description: "Trains the model that answers questions about pictures.",
    data: "folder with the four files of MNIST or one of its kin, or with your own pictures and questions (default: the fetched data set)",
    folder: "runs/visual-questions",
    help: `The data set is the one that "heed data fetch fashion-mnist" fetches, of whose images
scenes are composed. A folder of your own has train.jsonl, valid.jsonl and test.jsonl (or .jsonl.gz), a JSON object
a line: {"image": "a.png", "question": "…", "answer": "…"}; begin those with the recipe {"grid": "", "trainGrid": true}.

  heed train visual-questions --out my-model
  heed ask --model my-model "Is there a bag?" picture.png`,
    card: "weights/visual-questions/card.json",
    async load() {
      const [{ DEFAULT_VISUAL_QUESTIONS_RECIPE }, { runVisualQuestions }, { locateImages }] =
        await Promise.all([
          import("../tasks/visual-questions/recipe.ts"),
          import("../tasks/visual-questions/run.ts"),
          import("../data/labelled-images.ts"),
        ]);
      return {
        recipe: DEFAULT_VISUAL_QUESTIONS_RECIPE,
        async run(options) {
          const { evaluation } = await runVisualQuestions(options);
          if (!evaluation) return undefined;
          const { accuracy, majority } = evaluation;
          return `test accuracy ${percent(accuracy)}, commonest answers ${percent(majority)}`;
        },
        locate: (name, { dir }) => dir ?? locateImages(name),
      };
    },
  },
];

/** `heed train`: a subcommand for each model. */
export function trainCommand(io: Io): Command {
  const command = new Command("train").description("Trains a model that heed ships.");
  for (const task of TASKS) command.addCommand(trainTaskCommand(task, io));
  return command;
}
