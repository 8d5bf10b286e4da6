import * as tf from "@tensorflow/tfjs-core";
import { checkFinite } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import { onceDifferentiable } from "../../ops/attention/guard.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { checkTimeSteps } from "./check.ts";
import { checkSurrogate, type SurrogateOptions, surrogateSlope } from "./surrogate.ts";

export interface NeuronOptions extends SurrogateOptions {
  /** τ ≥ 1, in time steps: 1 forgets at once, larger ones remember longer. @default 2 */
  tau?: number;
  /** θ, the potential from which a neuron fires; above `reset`. @default 1 */
  threshold?: number;
  /** The potential after a spike, at rest and before the first step. @default 0 */
  reset?: number;
  /** The reset counts as a constant in the gradient, as Spikformer has it. @default true */
  detachReset?: boolean;
}

export interface LeakyIntegrateAndFireOptions extends NeuronOptions {
  /** Return the potentials [N, …] before the reset; no gradient goes through them. @default false */
  potentials?: boolean;
}

export type LeakyIntegrateAndFireResult<O> = { spikes: tf.Tensor } & Asked<O, "potentials", tf.Tensor>;

type Neuron = Required<NeuronOptions>;

/**
 * Leaky integrate-and-fire neurons: each adds up its current, leaks, fires at a threshold and begins again.
 *
 *     h_n = u_{n−1} + (x_n − (u_{n−1} − reset))/τ        charge
 *     s_n = Θ(h_n − θ)                                   fire
 *     u_n = h_n (1 − s_n) + reset · s_n                  reset,    u_0 = reset
 *
 * Backward, with g the surrogate slope of `spike`, which is not the true gradient:
 *
 *     dh_n = ds_n g(h_n − θ) + du_n ((1 − s_n) + (reset − h_n) g(h_n − θ)),    dx_n = dh_n/τ,    du_{n−1} = dh_n (1 − 1/τ)
 *
 * where `detachReset` leaves out the second term of the bracket.
 *
 * Symbols: x currents, h potentials before the reset and u after it, s spikes, Θ the step with Θ(0) = 1, τ the time
 * constant, θ the threshold, N time steps. Shapes: x [N, …] → spikes, potentials [N, …].
 * Conventions: time is the first axis; all neurons are independent and alike. Spikes are 0 or 1, float32. A constant
 * current x makes a neuron fire if x > θ (at rest 0); one step alone needs x ≥ τθ. Step n depends on no later one.
 * Differentiable once, through time.
 * Cost: O(size), N steps one after the other. Papers: Zhou et al. 2022 (Spikformer), §3,
 * arxiv.org/abs/2209.15425; the gradient through time: Fang et al. 2021, arxiv.org/abs/2007.05785.
 *
 * @throws ShapeError SHAPE when there is no time step · OptionError OPTION
 * @draws
 * const currents = tf.mul(tf.ones([24, 12]), tf.linspace(0.9, 3.1, 12));
 * const { spikes, potentials } = leakyIntegrateAndFire(currents, { tau: 4, potentials: true });
 * return tf.stack([tf.transpose(potentials), tf.transpose(spikes)]);
 * @example
 * const { spikes, potentials } = leakyIntegrateAndFire(tf.tensor2d([[1.5], [1.5], [1.5]]), { potentials: true });
 * potentials; // [[0.75], [1.125], [0.75]]
 * spikes; // [[0], [1], [0]]
 */
export function leakyIntegrateAndFire<const O extends LeakyIntegrateAndFireOptions>(
  x: tf.Tensor,
  options: O = {} as O,
): LeakyIntegrateAndFireResult<O> {
  const op = "leakyIntegrateAndFire";
  const { potentials: wanted = false }: LeakyIntegrateAndFireOptions = options;
  const neuron = checkNeuron(op, options);
  checkTimeSteps(op, "x [N, …]", x);
  return tidyAsked((): LeakyIntegrateAndFireResult<LeakyIntegrateAndFireOptions> => {
    // Outside of the tape: the gradient below is that of all steps together.
    const potentials = tf.customGrad(() => ({ value: charged(x, neuron), gradFunc: () => [] }))();
    const fire = tf.customGrad((_, save) => {
      (save as tf.GradSaveFunc)([potentials]);
      return {
        value: fired(potentials, neuron),
        gradFunc: (ds: tf.Tensor, [h]: tf.Tensor[]) => throughTime(ds, h!, neuron),
      };
    });
    return { spikes: onceDifferentiable(op, fire(x)), ...(wanted && { potentials }) };
  });
}

/**
 * @param name of the option that is the threshold here
 * @throws OptionError OPTION
 */
export function checkNeuron(op: string, options: NeuronOptions, name = "threshold"): Neuron {
  const { tau = 2, threshold = 1, reset = 0, detachReset = true } = options;
  const refuse = (option: string, rule: string, got: number): never => {
    throw new OptionError("OPTION", outOfRange({ op, name: option, rule, got }));
  };
  if (!(tau >= 1 && tau < Infinity)) refuse("tau", "a number ≥ 1", tau);
  checkFinite(op, "reset", reset);
  if (!(threshold > reset && threshold < Infinity))
    refuse(name, `a number above reset = ${reset}`, threshold);
  return { tau, threshold, reset, detachReset, ...checkSurrogate(op, options) };
}

/** 1 where a potential reaches the threshold. */
const fired = (h: tf.Tensor, { threshold }: Neuron) => tf.cast(tf.greaterEqual(h, threshold), "float32");

/** The potentials before the reset: currents [N, …] → [N, …]. */
function charged(x: tf.Tensor, { tau, threshold, reset }: Neuron): tf.Tensor {
  // h = (1 − 1/τ) u + (x + reset)/τ
  const steps = tf.unstack(tf.div(reset === 0 ? x : tf.add(x, reset), tau));
  let u: tf.Tensor = tf.fill(x.shape.slice(1), reset);
  const potentials = steps.map((current) => {
    const h = tf.add(tf.mul(u, 1 - 1 / tau), current);
    u = tf.where(tf.greaterEqual(h, threshold), reset, h);
    return h;
  });
  return tf.stack(potentials);
}

/** dx of ds, from the last step back to the first. */
function throughTime(ds: tf.Tensor, h: tf.Tensor, neuron: Neuron): tf.Tensor {
  const { tau, threshold, reset, detachReset } = neuron;
  const slope = surrogateSlope(tf.sub(h, threshold), neuron);
  const silent = tf.sub(1, fired(h, neuron));
  const kept = tf.unstack(detachReset ? silent : tf.add(silent, tf.mul(tf.sub(reset, h), slope)));
  const direct = tf.unstack(tf.mul(ds, slope));
  const dh: tf.Tensor[] = [];
  for (let n = direct.length - 1; n >= 0; n--) {
    const later = dh[n + 1];
    dh[n] = later ? tf.add(direct[n]!, tf.mul(tf.mul(later, 1 - 1 / tau), kept[n]!)) : direct[n]!;
  }
  return tf.div(tf.stack(dh), tau);
}
