import { bert } from "../../transformer/presets/bert.ts";
import type { PublishedNames } from "../../transformer/published.ts";
import type { Architecture } from "../architecture.ts";

const LAYER = "distilbert.transformer.layer.#";

/** Names of `DistilBertForMaskedLM`. */
const names: PublishedNames = {
  "embedding/token": "distilbert.embeddings.word_embeddings.weight",
  "embedding/position": "distilbert.embeddings.position_embeddings.weight",
  "embedding/norm": "distilbert.embeddings.LayerNorm",
  "encoder/#/self/query": `${LAYER}.attention.q_lin`,
  "encoder/#/self/key": `${LAYER}.attention.k_lin`,
  "encoder/#/self/value": `${LAYER}.attention.v_lin`,
  "encoder/#/self/output": `${LAYER}.attention.out_lin`,
  "encoder/#/self/norm": `${LAYER}.sa_layer_norm`,
  "encoder/#/feed/in": `${LAYER}.ffn.lin1`,
  "encoder/#/feed/out": `${LAYER}.ffn.lin2`,
  "encoder/#/feed/norm": `${LAYER}.output_layer_norm`,
  "head/transform": "vocab_transform",
  "head/norm": "vocab_layer_norm",
  "head/bias": "vocab_projector.bias",
  pooler: "pre_classifier",
  classifier: "classifier",
};

/**
 * DistilBERT: BERT of half the layers, without types of segments; a classifier has ReLU where BERT's pooler has tanh.
 *
 * Paper: Sanh et al. 2019, arxiv.org/abs/1910.01108.
 */
export const distilbertArchitecture: Architecture = {
  types: ["distilbert"],
  prefix: "distilbert.",
  read(json, shapeOf) {
    const width = json.size("dim");
    const classes = shapeOf("classifier.weight")?.[0];
    const config = bert({
      layers: json.size("n_layers"),
      width,
      heads: json.size("n_heads"),
      inner: json.size("hidden_dim"),
      vocabulary: json.size("vocab_size"),
      positions:
        shapeOf("distilbert.embeddings.position_embeddings.weight")?.[0] ??
        json.size("max_position_embeddings"),
      types: 0,
      activation: json.activation("activation", "gelu"),
      dropout: json.number("dropout", 0.1),
      head: shapeOf("vocab_transform.weight") !== undefined,
      pooler: classes !== undefined,
      ...(classes !== undefined && { classes }),
    });
    return { config: { ...config, poolerActivation: "relu" }, names };
  },
  write({ classes, head, positions }) {
    const kind = classes !== undefined ? "ForSequenceClassification" : head ? "ForMaskedLM" : "Model";
    const rows = positions.kind === "learned" ? positions.length : undefined;
    return { names, className: `DistilBert${kind}`, entries: { max_position_embeddings: rows } };
  },
};
