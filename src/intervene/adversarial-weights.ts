import {
  add,
  broadcastTo,
  cast,
  div,
  greater,
  log,
  maximum,
  mul,
  relu,
  type Scalar,
  sub,
  sum,
  type Tensor,
  tensor,
  type Variable,
  variable,
  variableGrads,
  where,
} from "@tensorflow/tfjs-core";
import { numbers } from "../capture/example.ts";
import { checkCount, checkPositive } from "../core/check-options.ts";
import { RandomStream } from "../core/random.ts";
import { maskScores } from "../ops/attention/mask.ts";
import { softmax } from "../ops/attention/softmax.ts";
import { tidyData } from "../ops/tidy.ts";
import { Adam } from "../train/adam.ts";
import { intervene } from "./intervene.ts";
import { maskOf, regionOf } from "./region.ts";
import { patchOf, recordWeights, totalVariation, type WeightPlace } from "./weight-tests.ts";

export interface AdversarialOptions extends WeightPlace {
  /** The most that the answer may move, as a total variation distance. @default 0.01 */
  readonly within?: number;
  /** Steps of Adam. @default 200 */
  readonly steps?: number;
  /** @default 0.1 */
  readonly learningRate?: number;
  /** @default 0 */
  readonly seed?: number;
}

export interface AdversarialWeights {
  /** [B, H, T, S], the most different weights that were found; those of the run itself where none was. */
  readonly weights: Float32Array;
  /** How far they are from those of the run: the Jensen–Shannon divergence, from 0 to ln 2, the mean over rows of the place. */
  readonly divergence: number;
  /** How far the answer moved, at most `within`. */
  readonly distance: number;
}

/** The weight of a step that moves the answer too far: Jain & Wallace's λ. */
const PENALTY = 500;

/**
 * Adversarial weights: the most different weights that give the same answer. Where they differ much, the weights were not what
 * the answer depended on.
 *
 *     max JSD(α, α̂) − λ·max(0, TVD(y, ŷ) − ε),    α̂ = softmax(z), over z by Adam; the best that keeps TVD ≤ ε
 *
 * Symbols: α the weights of a call and y the answer of the run, a distribution over its last axis; α̂ and ŷ the changed ones; TVD
 * is ½ Σ_c |y_c − ŷ_c|, JSD the Jensen–Shannon divergence in nats; ε is `within`, λ = 500.
 * Conventions: hidden keys stay without weight; all rows of the place change together. Where a row sees one key it cannot change.
 * It finds some, not all: a small divergence is no proof that there are none. Needs the gradients of the run.
 * Cost: `steps` runs with their gradients. Paper: Jain & Wallace 2019, § 4.2.2, arxiv.org/abs/1902.10186; what it does not show:
 * Wiegreffe & Pinter 2019, arxiv.org/abs/1908.04626.
 *
 * @throws what `intervene` throws · OptionError OPTION, UNSUPPORTED
 * @example
 * const run = () => tf.softmax(attention(q, k, tf.onesLike(v)).output); // no weight matters
 * adversarialWeights(run, { layer: 0, steps: 50 }).divergence; // near ln 2
 */
export function adversarialWeights(run: () => Tensor, options: AdversarialOptions): AdversarialWeights {
  const op = "adversarialWeights";
  const { within = 0.01, steps = 200, learningRate = 0.1, seed = 0, ...place } = options;
  checkPositive(op, "within", within);
  checkPositive(op, "learningRate", learningRate);
  checkCount(op, "steps", steps);
  const adam = new Adam({ learningRate });
  let logits: Variable | undefined;
  try {
    return tidyData(() => {
      const { weights, answer } = recordWeights(op, run, place.layer);
      const rows = placeMask(op, weights, place);
      const seen = greater(weights, 0);
      const noise = new RandomStream(seed).fillNormal(new Float32Array(weights.size), 0, 0.01);
      // Where all keys are alike the divergence has no slope to begin with.
      logits = variable(add(log(maximum(weights, 1e-20)), tensor(noise, weights.shape)), true);
      const patch = patchOf(place);
      let best = { weights: numbers(weights).slice(), divergence: 0, distance: 0 };
      const loss = () => {
        const other = softmax(maskScores(logits as Tensor, seen));
        const runs = { other: { calls: [{ op, weights: other }] } };
        const distance = totalVariation(answer, intervene(run, [patch], { runs }));
        const divergence = div(sum(mul(jensenShannon(weights, other), rows)), sum(rows));
        const [d, j] = [numbers(distance)[0]!, numbers(divergence)[0]!];
        if (d <= within && j > best.divergence)
          best = {
            weights: numbers(where(cast(rows, "bool"), other, weights)).slice(),
            divergence: j,
            distance: d,
          };
        return sub<Scalar>(mul(PENALTY, relu(sub(distance, within))), divergence);
      };
      for (let n = 0; n < steps; n++)
        tidyData(() => {
          const { grads } = variableGrads(loss, [logits!]);
          adam.apply({ logits: grads[logits!.name]! }, { logits: logits! });
        });
      return best;
    });
  } finally {
    logits?.dispose();
    adam.dispose();
  }
}

/** 1 for the rows of the place, [B or 1, H or 1, T or 1, 1] repeated to [B, H, T, 1]. */
function placeMask(op: string, weights: Tensor, { layer, ...place }: WeightPlace): Tensor {
  const [B, H, T, S] = weights.shape as [number, number, number, number];
  const shapes = { B, H, Hkv: H, T, S, D: 1, Dv: 1 };
  const region = regionOf({ op, name: "options", call: { layer, op: "attention" }, shapes }, place);
  return broadcastTo(cast(maskOf(region, weights.shape), "float32"), [B, H, T, 1]);
}

/** ½ Σ p ln(p/m) + ½ Σ r ln(r/m), m = (p + r)/2, of each row: [B, H, T, 1]. */
function jensenShannon(p: Tensor, r: Tensor): Tensor {
  const middle = mul(0.5, add(p, r));
  const from = (x: Tensor) => sum(mul(x, sub(log(maximum(x, 1e-20)), log(maximum(middle, 1e-20)))), -1, true);
  return mul(0.5, add(from(p), from(r)));
}
