/**
 * Options of other libraries as the attention program has them, where the same word means something else there.
 */
import { checkCount } from "./check-options.ts";
import { OptionError, ShapeError } from "./errors.ts";
import { notBool, outOfRange } from "./faults.ts";
import { type HostArray, show } from "./notation.ts";

/**
 * A mask of PyTorch's `nn.MultiheadAttention` (`attn_mask`, or `key_padding_mask`) or of `nn.Transformer` as `allow`:
 *
 *     allow = ¬mask
 *
 * There `true` hides a key; here, as in PyTorch's own `scaled_dot_product_attention`, it lets a query attend. Shapes
 * [T, S] serve as they are. A mask [B·H, T, S], whose heads of one example follow each other, becomes [B, H, T, S] with
 * `heads`; give `key_padding_mask` [B, S] the shape [B, 1, 1, S]. A float mask is no such thing: it is added to the
 * scores, which is `bias`.
 *
 * @param heads H, for a mask [B·H, T, S]
 * @throws OptionError DTYPE when the mask is not bool, OPTION when heads is no integer of 1 or more
 * @throws ShapeError SHAPE when with `heads` the mask is not [B·H, T, S]
 * @example
 * const mask = { shape: [1, 3], dtype: "bool", values: [0, 0, 1] }; // the third key is padding
 * fromTorchMHA(mask).values; // Uint8Array [1, 1, 0]
 * fromTorchMHA({ shape: [6, 1, 1], dtype: "bool", values: [0, 0, 0, 1, 1, 1] }, 3).shape; // [2, 3, 1, 1]
 */
export function fromTorchMHA(
  { shape, dtype, values }: HostArray,
  heads?: number,
): HostArray & { values: Uint8Array } {
  const op = "fromTorchMHA";
  if (dtype !== "bool") throw new OptionError("DTYPE", notBool({ op, dtype }));
  const allow = Uint8Array.from(values, (hidden) => (hidden ? 0 : 1));
  if (heads === undefined) return { shape, dtype, values: allow };
  checkCount(op, "heads", heads);
  const [rows, T, S] = shape;
  if (shape.length !== 3 || rows! % heads !== 0) {
    throw new ShapeError("SHAPE", {
      op,
      rule: `a mask for H=${heads} heads must have shape [B·H, T, S]`,
      got: show(shape),
      remedy: "leave heads out for masks of other shapes",
    });
  }
  return { shape: [rows! / heads, heads, T!, S!], dtype, values: allow };
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
