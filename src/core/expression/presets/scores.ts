/**
 * Classic changes of scores, each an ordinary `scoreMod`. Tensors that they read are named in their comments, and are passed
 * as `tensors`; floating-point ones learn.
 */
import type { ScoreMod } from "../trace.ts";

/**
 * ALiBi: score − slope_h · |k − q|, slope_h = 2^(−8(h+1)/H). Press et al. 2022, arxiv.org/abs/2108.12409.
 *
 * @param H query heads
 * @example
 * attention(q, k, v, { causal: true, scoreMod: alibiScoreMod(4) });
 */
export function alibiScoreMod(H: number): ScoreMod {
  const rate = (-8 * Math.LN2) / H;
  return (score, { h, q, k }) => score.sub(h.add(1).mul(rate).exp().mul(k.sub(q).abs()));
}

/** ALiBi with learned slopes: score − slopes[h] · |k − q|. Tensors: slopes [H]. */
export const learnedAlibiScoreMod: ScoreMod = (score, { h, q, k }, { slopes }) =>
  score.sub(slopes!.at(h).mul(k.sub(q).abs()));

/**
 * Relative positions: score + table[h, k − q + most], where distances beyond ±most share the last entries. Tensors: table
 * [H, 2 · most + 1]. Shaw et al. 2018, arxiv.org/abs/1803.02155, its scalar form.
 */
export function relativeScoreMod(most: number): ScoreMod {
  return (score, { h, q, k }, { table }) => score.add(table!.at(h, k.sub(q).add(most)));
}

/**
 * T5's relative bias: score + table[bucket of k − q, h]. Tensors: buckets int32 [T + S − 1], the bucket of each distance
 * k − q from 1 − T on, and table [buckets, H]. Buckets are a table because they are logarithms rounded down: computed in
 * float32 they would differ at the edges. Raffel et al. 2020, arxiv.org/abs/1910.10683.
 *
 * @param T queries
 */
export function t5ScoreMod(T: number): ScoreMod {
  return (score, { h, q, k }, { buckets, table }) => {
    const distance = k.sub(q).add(T - 1);
    return score.add(table!.at(buckets!.at(distance), h));
  };
}

/** Soft-cap: cap · tanh(score / cap). Gemma 2, arxiv.org/abs/2408.00118. */
export function softCapScoreMod(cap: number): ScoreMod {
  return (score) =>
    score
      .mul(1 / cap)
      .tanh()
      .mul(cap);
}

/** A temperature for each head: score / temperature[h]. Tensors: temperature [H]. */
export const temperatureScoreMod: ScoreMod = (score, { h }, { temperature }) => score.div(temperature!.at(h));

/** One learned factor for all: score · gain. Tensors: gain [], as Keras' `use_scale`. */
export const gainScoreMod: ScoreMod = (score, _, { gain }) => score.mul(gain!.at());

/** A gate for each head that opens with the score's own sigmoid: score · σ(gate[h]). Tensors: gate [H]. */
export const sigmoidGateScoreMod: ScoreMod = (score, { h }, { gate }) => score.mul(gate!.at(h).sigmoid());

/** A learned bias of positions: score + bias[h, q, k]. Tensors: bias [H or 1, T or 1, S or 1]. */
export const positionScoreMod: ScoreMod = (score, { h, q, k }, { bias }) => score.add(bias!.at(h, q, k));

/**
 * Forgetting: score + decay[b, q] − decay[b, k], with decay the running sum of log forget gates. Tensors: decay [B, T].
 * Lin et al. 2025, arxiv.org/abs/2503.02130.
 */
export const forgettingScoreMod: ScoreMod = (score, { b, q, k }, { decay }) =>
  score.add(decay!.at(b, q)).sub(decay!.at(b, k));

/**
 * KERPLE, logarithmic: score − |r1[h]| · ln(1 + |r2[h]| · |q − k|). Tensors: r1, r2 [H]. Chi et al. 2022,
 * arxiv.org/abs/2205.09921.
 */
export const kerpleScoreMod: ScoreMod = (score, { h, q, k }, { r1, r2 }) => {
  const distance = q.sub(k).abs().mul(r2!.at(h).abs()).add(1);
  return score.sub(r1!.at(h).abs().mul(distance.log()));
};

/** Luong's Gaussian window: score − (k − centre[b, q])² / (2 · width²). Tensors: centre [B, T]. Luong et al. 2015, §3.2. */
export function gaussianScoreMod(width: number): ScoreMod {
  return (score, { b, q, k }, { centre }) =>
    score.sub(
      k
        .sub(centre!.at(b, q))
        .square()
        .mul(1 / (2 * width * width)),
    );
}

/** Scores that grow with the number of keys seen, against weights that fade with it: score · ln(q + 2) / ln n. arxiv.org/abs/2202.12172. */
export function logLengthScoreMod(n: number): ScoreMod {
  const inverse = 1 / Math.log(n);
  return (score, { q }) => score.mul(q.add(2).log().mul(inverse));
}
