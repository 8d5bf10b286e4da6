import type { FullConfig, TransformerConfig } from "../transformer/config.ts";
import type { PublishedNames } from "../transformer/published.ts";
import type { ConfigJson } from "./config-json.ts";

/** What a checkpoint has under a name, without or with the prefix of the whole model; undefined where there is none. */
export type ShapeOf = (name: string) => readonly number[] | undefined;

export interface ArchitectureModel {
  readonly config: TransformerConfig;
  readonly names: PublishedNames;
}

/** How the library that published a family wants a model of it to be written. */
export interface PublishedForm {
  readonly names: PublishedNames;
  /** The class of the transformers library that reads all of the model. */
  readonly className: string;
  /** Shapes of tensors by name, where a checkpoint has other ones than the parameters. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /** What config.json has to say for the tensors to fit. */
  readonly entries?: Readonly<Record<string, unknown>>;
}

/** A family of published models: how its configuration and its names are read. */
export interface Architecture {
  /** Values of `model_type`. */
  readonly types: readonly string[];
  /** What names begin with in a model with a head, and lack in one without. */
  readonly prefix: string;
  /**
   * @param shapeOf what the checkpoint has: heads are there where their weights are, and tables are as long as they are,
   *   whatever the configuration says
   */
  read(json: ConfigJson, shapeOf: ShapeOf): ArchitectureModel;
  /** How a model that `read` gave, or one that is like it, is written. */
  write(config: FullConfig, json: ConfigJson): PublishedForm;
}
