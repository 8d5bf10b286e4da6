/**
 * Classic masks, each an ordinary `maskMod`: true where the query may attend to the key. q and k are row numbers. Blocks of
 * keys that a mask hides are never computed. Tensors that they read are named in their comments.
 */
import type { MaskMod } from "../trace.ts";

/**
 * A query sees keys up to its own position.
 *
 * @param offset the key position of query 0; S − T aligns the last query with the last key
 */
export function causalMaskMod(offset = 0): MaskMod {
  return ({ q, k }) => k.lessEqual(q.add(offset));
}

/** Keys from `left` before a query's own position to `right` after it, both inclusive. Longformer §3.1. */
export function windowMaskMod(left: number, right: number): MaskMod {
  return ({ q, k }) => k.sub(q).greaterEqual(-left).and(k.sub(q).lessEqual(right));
}

/** Keys of a window of `steps` back, each `step`-th: a dilated sliding window. Longformer §3.1. */
export function dilatedMaskMod(step: number, steps: number): MaskMod {
  return ({ q, k }) => {
    const distance = q.sub(k);
    return distance
      .greaterEqual(0)
      .and(distance.lessEqual(step * steps))
      .and(distance.mod(step).equal(0));
  };
}

/** Fixed strides of the Sparse Transformer: the last `stride` keys, and each `stride`-th before. arxiv.org/abs/1904.10509. */
export function stridedMaskMod(stride: number): MaskMod {
  return ({ q, k }) => {
    const distance = q.sub(k);
    return distance.greaterEqual(0).and(distance.less(stride).or(distance.mod(stride).equal(0)));
  };
}

/** Packed documents: only keys of the query's own. Tensors: document int32 [B, S], non-decreasing for blocks to be skipped. */
export const documentMaskMod: MaskMod = ({ b, q, k }, { document }) =>
  document!.at(b, q).equal(document!.at(b, k));

/** Documents, and causal within each. Tensors: document int32 [B, S]. */
export const causalDocumentMaskMod: MaskMod = ({ b, q, k }, { document }) =>
  k.lessEqual(q).and(document!.at(b, q).equal(document!.at(b, k)));

/** Prefix-LM: all see the prefix, the rest is causal. Tensors: prefix int32 [B]. Raffel et al. 2020, §3.2.1. */
export const prefixMaskMod: MaskMod = ({ b, q, k }, { prefix }) => k.less(prefix!.at(b)).or(k.lessEqual(q));

/** Keys that are not padding. Tensors: lengths int32 [B]. */
export const paddingMaskMod: MaskMod = ({ b, k }, { lengths }) => k.less(lengths!.at(b));

/**
 * Neighbours on a grid of `width` columns, row by row: at most `radius` away in both directions. Neighborhood attention,
 * arxiv.org/abs/2204.07143, without the shift at the edges.
 */
export function neighbourhoodMaskMod(width: number, radius: number): MaskMod {
  return ({ q, k }) => {
    const down = q.div(width).floor().sub(k.div(width).floor()).abs();
    const across = q.mod(width).sub(k.mod(width)).abs();
    return down.lessEqual(radius).and(across.lessEqual(radius));
  };
}

/** Blocks of `size`: only keys of the query's own block. */
export function blockMaskMod(size: number): MaskMod {
  return ({ q, k }) => q.div(size).floor().equal(k.div(size).floor());
}

/** Attention sinks: the first `sinks` keys and a causal window. StreamingLLM, arxiv.org/abs/2309.17453. */
export function streamingMaskMod(sinks: number, window: number): MaskMod {
  return ({ q, k }) => k.lessEqual(q).and(k.less(sinks).or(q.sub(k).less(window)));
}

/** A window on both sides, and `global` first tokens that see and are seen by all. Longformer §3.1, BigBird. */
export function globalMaskMod(global: number, radius: number): MaskMod {
  return ({ q, k }) => q.less(global).or(k.less(global)).or(q.sub(k).abs().lessEqual(radius));
}

/** Candidates of a tree: a key is seen where it is an ancestor. Tensors: ancestor bool [T, S]. SpecInfer, arxiv.org/abs/2305.09781. */
export const treeMaskMod: MaskMod = ({ q, k }, { ancestor }) => ancestor!.at(q, k);
