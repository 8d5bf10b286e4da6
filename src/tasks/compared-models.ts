/** A model and the same model without the part that it is about: two in one file and one object, without a module of Node. */
import type { ParameterSpecs } from "../models/parameters.ts";
import type { ModelReader } from "./model-files.ts";

/** The two, in the order in which they are trained. */
export const COMPARED = ["model", "baseline"] as const;
export type Compared = (typeof COMPARED)[number];

/** Both, with their card. */
export interface ComparedPair<Model, Card> {
  model: Model;
  baseline: Model;
  card: Card;
}

/** Holds both until they are disposed. */
export class ComparedModels<Model extends { dispose(): void }, Card> {
  readonly card: Card;
  /** Which of them is asked is chosen by its name. */
  protected readonly models: Readonly<Record<Compared, Model>>;

  constructor({ card, model, baseline }: ComparedPair<Model, Card>) {
    this.card = card;
    this.models = { model, baseline };
  }

  dispose(): void {
    for (const which of COMPARED) this.models[which].dispose();
  }
}

const OF_BASELINE = "baseline/";

/** The values of both as one file has them. */
export function bothValues<T>(model: Readonly<Record<string, T>>, baseline: Readonly<Record<string, T>>) {
  const prefixed = Object.entries(baseline).map(([name, value]) => [OF_BASELINE + name, value] as const);
  return { ...model, ...Object.fromEntries(prefixed) };
}

/** Reads what `bothValues` put together. @throws DataError MISMATCH */
export function readBoth(
  folder: ModelReader,
  model: ParameterSpecs,
  baseline: ParameterSpecs,
): Record<Compared, Record<string, Float32Array>> {
  const values = Object.entries(folder.weights(bothValues(model, baseline)));
  const isOfBaseline = (name: string) => name.startsWith(OF_BASELINE);
  const cut = ([name, value]: [string, Float32Array]) => [name.slice(OF_BASELINE.length), value] as const;
  return {
    model: Object.fromEntries(values.filter(([name]) => !isOfBaseline(name))),
    baseline: Object.fromEntries(values.filter(([name]) => isOfBaseline(name)).map(cut)),
  };
}
