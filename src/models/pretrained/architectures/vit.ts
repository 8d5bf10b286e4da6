import { vit, vitNames } from "../../transformer/presets/vit.ts";
import type { Architecture } from "../architecture.ts";

export const vitArchitecture: Architecture = {
  types: ["vit"],
  prefix: "vit.",
  read(json, shapeOf) {
    json.only("qkv_bias", true);
    const [side, patch, channels] = [
      json.size("image_size"),
      json.size("patch_size"),
      json.size("num_channels", 3),
    ];
    const classes = shapeOf("classifier.weight")?.[0];
    const config = vit({
      layers: json.size("num_hidden_layers"),
      width: json.size("hidden_size"),
      heads: json.size("num_attention_heads"),
      inner: json.size("intermediate_size"),
      patches: Math.floor(side / patch) ** 2,
      patchSize: channels * patch * patch,
      epsilon: json.number("layer_norm_eps", 1e-12),
      dropout: json.number("hidden_dropout_prob", 0),
      ...(classes !== undefined && { classes }),
    });
    return { config: { ...config, activation: json.activation("hidden_act", "gelu") }, names: vitNames };
  },
  write({ width: C, positions, classes }, json) {
    const patch = json.size("patch_size");
    const rows = positions.kind === "learned" ? positions.length : 0;
    return {
      names: vitNames,
      className: classes === undefined ? "ViTModel" : "ViTForImageClassification",
      shapes: {
        "vit.embeddings.cls_token": [1, 1, C],
        "vit.embeddings.position_embeddings": [1, rows, C],
        "vit.embeddings.patch_embeddings.projection.weight": [C, json.size("num_channels", 3), patch, patch],
      },
    };
  },
};
