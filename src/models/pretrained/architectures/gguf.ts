/** Llama as GGUF has it: sizes in the metadata, other names, and q and k in the order of interleaved rotation. */
import { llama } from "../../transformer/presets/llama.ts";
import type { PublishedNames } from "../../transformer/published.ts";
import type { ArchitectureModel, ShapeOf } from "../architecture.ts";
import { ConfigJson } from "../config-json.ts";

const names: PublishedNames = {
  "embedding/token": "token_embd.weight",
  "decoder/#/self/query": "blk.#.attn_q",
  "decoder/#/self/key": "blk.#.attn_k",
  "decoder/#/self/value": "blk.#.attn_v",
  "decoder/#/self/output": "blk.#.attn_output",
  "decoder/#/self/norm": "blk.#.attn_norm",
  "decoder/#/feed/gate": "blk.#.ffn_gate",
  "decoder/#/feed/in": "blk.#.ffn_up",
  "decoder/#/feed/out": "blk.#.ffn_down",
  "decoder/#/feed/norm": "blk.#.ffn_norm",
  "decoder/norm": "output_norm",
  "head/weight": "output.weight",
};

/** @throws DataError UNSUPPORTED, FORMAT */
export function ggufModel(metadata: ReadonlyMap<string, unknown>, shapeOf: ShapeOf): ArchitectureModel {
  const json = new ConfigJson(Object.fromEntries(metadata), "GGUF metadata");
  json.only("general.architecture", "llama");
  const heads = json.size("llama.attention.head_count");
  const width = json.size("llama.embedding_length");
  const headWidth = json.size("llama.rope.dimension_count", width / heads);
  const embedding = shapeOf("token_embd.weight");
  const config = llama({
    layers: json.size("llama.block_count"),
    width,
    heads,
    keyValueHeads: json.size("llama.attention.head_count_kv", heads),
    headWidth,
    inner: json.size("llama.feed_forward_length"),
    vocabulary: embedding?.[0] ?? json.size("llama.vocab_size"),
    epsilon: json.number("llama.attention.layer_norm_rms_epsilon", 1e-5),
    tied: shapeOf("output.weight") === undefined,
  });
  const base = json.number("llama.rope.freq_base", 10_000);
  return { config: { ...config, positions: { kind: "rope", base, pairs: "interleaved" } }, names };
}
