import { dispose, mul, type NamedTensorMap, type Scalar } from "@tensorflow/tfjs-core";
import { DataError } from "../core/errors.ts";
import { isKnownFinite } from "../ops/attention/guard.ts";
import { tidy } from "../ops/tidy.ts";
import { refuseOption, requireWhole } from "./options.ts";

export interface LossScaleOptions {
  /** The first factor. @default 65536 */
  initial?: number;
  /** Good steps in a row after which the factor is doubled. @default 2000 */
  every?: number;
  /** The least factor: gradients that are not finite there are no matter of scale. @default 1 */
  least?: number;
}

/** What a checkpoint keeps of it. */
export interface LossScaleState {
  scale: number;
  good: number;
}

const OP = "LossScale";
/** Beyond it the factor itself could be what is not finite. */
const MOST = 2 ** 96;

/**
 * Dynamic loss scaling, for gradients in float16, which are 0 below 6e-8 and infinite beyond 65504:
 *
 *     loss′ = S·loss,    g = g′/S    if every g′ is finite: take the step, and double S after `every` such steps
 *                                    if not: take none, and halve S
 *
 * The factors are powers of two, so that scaling rounds nothing. Skipped steps change neither weights nor moments.
 *
 * Paper: Micikevicius et al. 2018, §3.2, arxiv.org/abs/1710.03740. As `torch.amp.GradScaler`, which doubles every 2000
 * steps too.
 *
 * @throws OptionError OPTION when an option is outside its range
 * @example
 * const scale = new LossScale();
 * const adam = new Adam();
 * const step = (loss) =>
 *   autocast("float16", () => {
 *     const { grads } = namedGradients(variables, () => scale.scale(loss()));
 *     const taken = scale.step(grads, (g) => adam.apply(g, variables));
 *     tf.dispose(grads);
 *     return taken;
 *   });
 */
export class LossScale {
  readonly #every: number;
  readonly #least: number;
  #scale: number;
  #good = 0;

  constructor({ initial = 2 ** 16, every = 2000, least = 1 }: LossScaleOptions = {}) {
    requirePower("initial", initial);
    requirePower("least", least);
    requireWhole(OP, "every", every, 1);
    if (least > initial) refuseOption(OP, "least", `must be at most initial = ${initial}`, least);
    this.#every = every;
    this.#least = least;
    this.#scale = initial;
  }

  /** S of the next step. */
  get value(): number {
    return this.#scale;
  }

  /** S·loss. Gradients of it are for `step`. */
  scale(loss: Scalar): Scalar {
    return mul(loss, this.#scale);
  }

  /**
   * Takes a step with g′/S, if all of it is finite, and sets S for the next one. The gradients stay the caller's; what
   * `take` is given is freed after it.
   *
   * @param grads of the scaled loss
   * @returns whether the step was taken
   * @throws DataError NOT_FINITE where S cannot be halved any more
   */
  step(grads: NamedTensorMap, take: (grads: NamedTensorMap) => void): boolean {
    const bad = Object.keys(grads).find((name) => !isKnownFinite(grads[name]!));
    if (bad !== undefined) {
      if (this.#scale <= this.#least) throw notFinite(bad, this.#scale);
      this.#scale /= 2;
      this.#good = 0;
      return false;
    }
    const factor = 1 / this.#scale;
    const unscaled = tidy(() =>
      Object.fromEntries(Object.entries(grads).map(([name, g]) => [name, mul(g, factor)])),
    );
    try {
      take(unscaled);
    } finally {
      dispose(unscaled);
    }
    this.#good++;
    if (this.#good === this.#every) {
      this.#scale = Math.min(MOST, 2 * this.#scale);
      this.#good = 0;
    }
    return true;
  }

  /** What an exact resume needs, as JSON. */
  state(): LossScaleState {
    return { scale: this.#scale, good: this.#good };
  }

  /**
   * Continues from what `state` gave.
   *
   * @throws DataError DAMAGED when it is none
   */
  restore(state: LossScaleState): void {
    const { scale, good } = state ?? {};
    if (!(isPower(scale) && Number.isSafeInteger(good) && good >= 0 && good < this.#every)) {
      throw new DataError("DAMAGED", {
        op: "LossScale.restore",
        rule: `scale must be a power of two, and good a whole number below every = ${this.#every}`,
        got: `scale ${scale} and good ${good}`,
        remedy: "pass what LossScale.state gave",
      });
    }
    this.#scale = scale;
    this.#good = good;
  }
}

const isPower = (n: number) => n > 0 && n <= MOST && Number.isInteger(Math.log2(n));

function requirePower(option: string, value: number): void {
  if (!isPower(value)) refuseOption(OP, option, "must be a power of two, at most 2⁹⁶", value);
}

function notFinite(name: string, scale: number): DataError<"NOT_FINITE"> {
  return new DataError("NOT_FINITE", {
    op: "LossScale.step",
    rule: `gradients must be finite at the least scale, ${scale}`,
    got: `NaN or infinity in that of "${name}"`,
    remedy: "it is no overflow of the scaled loss: run the step in guardFinite, which names the operation",
    name,
    scale,
  });
}
