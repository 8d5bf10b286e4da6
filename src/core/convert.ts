/**
 * Options of other libraries as the attention program has them, where the same word means something else there.
 */
import { OptionError } from "./errors.ts";
import { notBool, outOfRange } from "./faults.ts";
import type { HostArray } from "./notation.ts";

/**
 * A mask of PyTorch's `nn.MultiheadAttention` (`attn_mask`, or `key_padding_mask`) or of `nn.Transformer` as `allow`:
 *
 *     allow = ¬mask
 *
 * There `true` hides a key; here, as in PyTorch's own `scaled_dot_product_attention`, it lets a query attend. Shapes
 * are kept, so [T, S] and [B, H, T, S] serve as they are; give `key_padding_mask` [B, S] the shape [B, 1, 1, S], and a
 * mask [B·H, T, S] the shape [B, H, T, S]. A float mask is no such thing: it is added to the scores, which is `bias`.
 *
 * @throws OptionError DTYPE when the mask is not bool
 * @example
 * const mask = { shape: [1, 3], dtype: "bool", values: [0, 0, 1] }; // the third key is padding
 * fromTorchMHA(mask).values; // Uint8Array [1, 1, 0]
 */
export function fromTorchMHA({ shape, dtype, values }: HostArray): HostArray & { values: Uint8Array } {
  if (dtype !== "bool") throw new OptionError("DTYPE", notBool({ op: "fromTorchMHA", dtype }));
  return { shape, dtype, values: Uint8Array.from(values, (hidden) => (hidden ? 0 : 1)) };
}

/**
 * A `sliding_window` of Hugging Face's models, or of Keras with a causal mask, as `window`:
 *
 *     window = { left: w − 1, right: 0 }
 *
 * There w counts the keys that a query sees, its own among them (Mistral, Gemma 2, Phi-3); here `left` counts the keys
 * before it. Keras without a causal mask sees as many after it too: { left: w − 1, right: w − 1 }.
 *
 * @throws OptionError OPTION when w is not an integer of 1 or more
 * @example
 * fromHF(4096); // { left: 4095, right: 0 }
 */
export function fromHF(w: number): { left: number; right: number } {
  if (!(Number.isSafeInteger(w) && w >= 1)) {
    throw new OptionError("OPTION", outOfRange({ op: "fromHF", name: "w", rule: "an integer ≥ 1", got: w }));
  }
  return { left: w - 1, right: 0 };
}
