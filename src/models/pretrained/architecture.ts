import type { TransformerConfig } from "../transformer/config.ts";
import type { PublishedNames } from "../transformer/published.ts";
import type { ConfigJson } from "./config-json.ts";

/** What a checkpoint has under a name, without or with the prefix of the whole model; undefined where there is none. */
export type ShapeOf = (name: string) => readonly number[] | undefined;

export interface ArchitectureModel {
  readonly config: TransformerConfig;
  readonly names: PublishedNames;
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
}
