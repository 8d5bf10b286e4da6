import type { FullConfig } from "../../transformer/config.ts";
import { albert, albertNames } from "../../transformer/presets/albert.ts";
import { type BertOptions, bert, bertNames, robertaNames } from "../../transformer/presets/bert.ts";
import type { PublishedNames } from "../../transformer/published.ts";
import type { Architecture, PublishedForm, ShapeOf } from "../architecture.ts";
import type { ConfigJson } from "../config-json.ts";

/** What BERT, RoBERTa and ALBERT read alike. */
function optionsOf(json: ConfigJson, shapeOf: ShapeOf, names: PublishedNames): BertOptions {
  json.only("position_embedding_type", "absolute");
  const rows = (parameter: string) => shapeOf(names[parameter] as string)?.[0];
  const classes = shapeOf(`${names.classifier ?? "classifier"}.weight`)?.[0];
  return {
    layers: json.size("num_hidden_layers"),
    width: json.size("hidden_size"),
    heads: json.size("num_attention_heads"),
    inner: json.size("intermediate_size"),
    vocabulary: json.size("vocab_size"),
    positions: rows("embedding/position") ?? json.size("max_position_embeddings"),
    types: rows("embedding/type") ?? json.size("type_vocab_size", 2),
    activation: json.activation("hidden_act", "gelu"),
    epsilon: json.number("layer_norm_eps", 1e-12),
    dropout: json.number("hidden_dropout_prob", 0.1),
    head: shapeOf(`${names["head/transform"] as string}.weight`) !== undefined,
    pooler: shapeOf(`${names.pooler as string}.weight`) !== undefined,
    ...(classes !== undefined && { classes }),
  };
}

/** What BERT, RoBERTa and ALBERT write alike: the classes of transformers have their names before what they are for. */
function formOf(family: string, config: FullConfig, names: PublishedNames): PublishedForm {
  const { positions, types, classes, head } = config;
  const rows = positions.kind === "learned" ? positions.length : undefined;
  return {
    names,
    className: `${family}${classes !== undefined ? "ForSequenceClassification" : head ? "ForMaskedLM" : "Model"}`,
    entries: { max_position_embeddings: rows, type_vocab_size: types },
  };
}

export const bertArchitecture: Architecture = {
  types: ["bert"],
  prefix: "bert.",
  read: (json, shapeOf) => ({ config: bert(optionsOf(json, shapeOf, bertNames)), names: bertNames }),
  write: (config) => formOf("Bert", config, bertNames),
};

/** A classifier of RoBERTa has the pooler's map and tanh in its head. */
const robertaClassifierNames: PublishedNames = {
  ...robertaNames,
  pooler: "classifier.dense",
  classifier: "classifier.out_proj",
};

export const robertaArchitecture: Architecture = {
  types: ["roberta", "xlm-roberta"],
  prefix: "roberta.",
  read(json, shapeOf) {
    const isClassifier = shapeOf("classifier.out_proj.weight") !== undefined;
    const names = isClassifier ? robertaClassifierNames : robertaNames;
    const firstPosition = json.number("pad_token_id", 1) + 1;
    return { config: bert({ ...optionsOf(json, shapeOf, names), firstPosition }), names };
  },
  write(config, json) {
    const family = json.get("model_type") === "roberta" ? "Roberta" : "XLMRoberta";
    return formOf(family, config, config.classes === undefined ? robertaNames : robertaClassifierNames);
  },
};

export const albertArchitecture: Architecture = {
  types: ["albert"],
  prefix: "albert.",
  read(json, shapeOf) {
    json.only("inner_group_num", 1);
    const embeddingWidth = json.size("embedding_size", 128);
    const groups = json.size("num_hidden_groups", 1);
    const given = { ...optionsOf(json, shapeOf, albertNames), embeddingWidth, groups };
    // ALBERT's pooler is a plain map, not a module with a map in it.
    return { config: albert(given), names: albertNames };
  },
  write: (config) => formOf("Albert", config, albertNames),
};
