import { Command } from "commander";
import { oneOf } from "./flags.ts";
import { type Io, write } from "./io.ts";

const NAME = "heed evaluate image-classification";
const SPLITS = ["test", "valid"] as const;

interface Flags {
  model?: string;
  data?: string;
  split: (typeof SPLITS)[number];
  json?: boolean;
}

/** `heed evaluate image-classification`: the figures of a model's card, made again. */
export function evaluateClassification(io: Io): Command {
  return new Command("image-classification")
    .description("Classifies the images of a split and counts what is right.")
    .option("--model <dir>", "folder of the model (default: the one that ships with heed)")
    .option(
      "--data <dir>",
      "folder with the four files of MNIST or one of its kin (default: the fetched data set)",
    )
    .option("--split <name>", "test or valid", oneOf(NAME, "--split", SPLITS), "test")
    .option("--json", "one JSON object")
    .action((flags: Flags) => score(flags, io));
}

const percent = (share: number) => `${(100 * share).toFixed(2)} %`;

async function score(flags: Flags, io: Io): Promise<void> {
  const [{ loadClassifier }, { evaluate }, { locateImages, readImages }] = await Promise.all([
    import("../tasks/image-classification/files.ts"),
    import("../tasks/image-classification/evaluate.ts"),
    import("../data/labelled-images.ts"),
  ]);
  const classifier = await loadClassifier(flags.model);
  const { labels, data } = classifier.card;
  const folder = locateImages(data.name, flags.data ? { dir: flags.data } : {});
  const result = evaluate(classifier, readImages(folder, flags.split));
  classifier.dispose();
  if (flags.json) return write(io.stdout, `${JSON.stringify(result)}\n`);
  const { images, accuracy, recalls, seconds } = result;
  const speed = `${images} images in ${seconds.toFixed(1)} s`;
  const found = recalls.map((recall, label) => `${labels[label]} ${percent(recall)}`).join(", ");
  await write(io.stdout, `${flags.split}: accuracy ${percent(accuracy)}; ${speed}\n${found}\n`);
}
