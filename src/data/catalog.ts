import { OptionError } from "../core/errors.ts";
import type { Dataset } from "./dataset.ts";
import { fashionMnist } from "./datasets/fashion-mnist.ts";
import { tatoebaEnDe } from "./datasets/tatoeba-en-de.ts";
import { tatoebaEnEs } from "./datasets/tatoeba-en-es.ts";
import { tatoebaEnFr } from "./datasets/tatoeba-en-fr.ts";
import { tinyShakespeare } from "./datasets/tiny-shakespeare.ts";

const DATASETS: readonly Dataset[] = [tatoebaEnFr, tatoebaEnDe, tatoebaEnEs, fashionMnist, tinyShakespeare];

export function listDatasets(): readonly Dataset[] {
  return DATASETS;
}

/** @throws OptionError UNKNOWN */
export function findDataset(op: string, name: string): Dataset {
  const dataset = DATASETS.find((candidate) => candidate.name === name);
  if (dataset !== undefined) return dataset;
  const known = DATASETS.map((one) => one.name);
  throw new OptionError("UNKNOWN", {
    op,
    rule: `name must be one of ${known.join(", ")}`,
    got: JSON.stringify(name),
    remedy: '"heed data list" says what there is',
    known,
  });
}
