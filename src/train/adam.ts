import {
  add,
  clone,
  concat,
  div,
  keep,
  mul,
  type NamedTensorMap,
  reshape,
  scalar,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  tidy,
  type Variable,
  zeros,
  zerosLike,
} from "@tensorflow/tfjs-core";
import { DataError, ShapeError } from "../core/errors.ts";
import { isFused, runKernel, runKernels } from "../ops/registry.ts";
import { refuseOption } from "./options.ts";

export interface AdamOptions {
  /** The step size η, above 0; settable between steps as `adam.learningRate`. @default 0.001 */
  learningRate?: number;
  /** Decay of the mean of the gradients, from 0 to below 1. @default 0.9 */
  beta1?: number;
  /** Decay of the mean of their squares, from 0 to below 1; 0.98 is usual for transformers. @default 0.999 */
  beta2?: number;
  /** ε, added to the denominator; above 0. @default 1e-8 */
  epsilon?: number;
  /** λ of an L2 penalty ½λ‖p‖², whose gradient joins the given one (as in Adam, not AdamW); from 0. @default 0 */
  weightDecay?: number;
  /** The greatest norm that all gradients together may have; longer ones are scaled down to it. Above 0. */
  clipNorm?: number;
}

/** The numbers of one step, the same for all its variables. */
interface Step {
  scale: number;
  decay: number;
  beta1: number;
  beta2: number;
  step: number;
  root: number;
  epsilon: number;
}

interface Moments {
  m: Tensor;
  v: Tensor;
}

/** One step of one variable: [value, m, v], by one kernel or by the operations that it stands for. */
function advance(p: Tensor, given: Tensor, { m, v }: Moments, step: Step): Tensor[] {
  if (isFused("HeedAdam")) return runKernels("HeedAdam", { p, g: given, m, v }, { ...step });
  const { scale, decay, beta1, beta2, root, epsilon } = step;
  const g = add(mul(given, scale), mul(p, decay));
  const mNext = add(mul(m, beta1), mul(g, 1 - beta1));
  const vNext = add(mul(v, beta2), mul(square(g), 1 - beta2));
  const change = div(mul(mNext, step.step), add(mul(sqrt(vNext), root), epsilon));
  return [sub(p, change), mNext, vNext];
}

/** Σ g² of each gradient, [number of gradients]: what is read from the device, once a step. */
function squaredNorms(grads: Tensor[]): Tensor {
  const fused = isFused("HeedSumOfSquares");
  const squares = grads.map((x) => (fused ? runKernel("HeedSumOfSquares", { x }) : sum(square(x))));
  return concat([zeros([1]), ...squares.map((part) => reshape(part, [1]))]);
}

/** √(Σ over all gradients of Σ g²). */
function normOf(squares: ArrayLike<number>): number {
  let total = 0;
  for (let n = 0; n < squares.length; n++) total += squares[n]!;
  return Math.sqrt(total);
}

/**
 * Adam (Kingma & Ba 2015, arxiv.org/abs/1412.6980), step t on gradient g:
 *
 *     m ← β₁m + (1−β₁)g    v ← β₂v + (1−β₂)g²    p ← p − η · m/(1−β₁ᵗ) / (√(v/(1−β₂ᵗ)) + ε)
 *
 * Equal to torch.optim.Adam, clipping to torch.nn.utils.clip_grad_norm_ before it: g·clipNorm/(‖g‖ + 10⁻⁶) where
 * that is shorter. Moments are made when a variable's first gradient comes. One pass a variable where the backend
 * has the fused kernel.
 *
 * @example
 * const adam = new Adam({ learningRate: 1e-3, clipNorm: 1 });
 * const { value, grads } = tf.variableGrads(loss);
 * adam.apply(grads, { w, b }); // grads are named as the variables are
 */
export class Adam {
  /** η of the next step. */
  learningRate: number;
  readonly #options: Required<Omit<AdamOptions, "learningRate" | "clipNorm">> & { clipNorm?: number };
  readonly #moments = new Map<string, Moments>();
  #steps = 0;

  /** @throws OptionError OPTION when an option is outside its range */
  constructor(options: AdamOptions = {}) {
    const {
      learningRate = 0.001,
      beta1 = 0.9,
      beta2 = 0.999,
      epsilon = 1e-8,
      weightDecay = 0,
      clipNorm,
    } = options;
    checkOption("learningRate", learningRate, "must be above 0", learningRate > 0);
    checkOption("beta1", beta1, "must be from 0 to below 1", beta1 >= 0 && beta1 < 1);
    checkOption("beta2", beta2, "must be from 0 to below 1", beta2 >= 0 && beta2 < 1);
    checkOption("epsilon", epsilon, "must be above 0", epsilon > 0);
    checkOption("weightDecay", weightDecay, "must be from 0", weightDecay >= 0);
    checkOption("clipNorm", clipNorm, "must be above 0", clipNorm === undefined || clipNorm > 0);
    this.learningRate = learningRate;
    this.#options = { beta1, beta2, epsilon, weightDecay, clipNorm };
  }

  /** Steps taken so far: t of the last one. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * One step: changes each variable that has a gradient of its name. Gradients whose norm is not finite change
   * nothing and the step does not count; the norm returned tells.
   *
   * @returns the norm of all gradients together, before clipping
   * @throws ShapeError SHAPE when a gradient has no variable of its name and shape, or restored moments have another
   */
  apply(grads: NamedTensorMap, variables: Record<string, Variable>): number {
    this.#check(grads, variables);
    return tidy(() => this.#take(normOf(squaredNorms(Object.values(grads)).dataSync()), grads, variables));
  }

  /**
   * `apply` on a device whose results must be waited for, such as `webgpu`: the same step, once the norm has come from
   * there. The gradients and variables are to stay as they are meanwhile.
   *
   * @returns a promise of the norm
   * @throws ShapeError SHAPE as `apply`
   * @example
   * const adam = new Adam({ learningRate: 0.1 });
   * const { grads } = tf.variableGrads(loss);
   * await adam.applyAsync(grads, { w, b });
   */
  async applyAsync(grads: NamedTensorMap, variables: Record<string, Variable>): Promise<number> {
    this.#check(grads, variables);
    const squares = tidy(() => squaredNorms(Object.values(grads)));
    try {
      const norm = normOf(await squares.data());
      return tidy(() => this.#take(norm, grads, variables));
    } finally {
      squares.dispose();
    }
  }

  #check(grads: NamedTensorMap, variables: Record<string, Variable>): void {
    for (const [name, gradient] of Object.entries(grads)) {
      checkGradient(name, gradient, variables[name]);
      checkMoments(name, this.#moments.get(name), variables[name]!);
    }
  }

  /** The step itself, where the norm is finite. */
  #take(norm: number, grads: NamedTensorMap, variables: Record<string, Variable>): number {
    if (!Number.isFinite(norm)) return norm;
    this.#steps++;
    const step = this.#step(norm);
    for (const [name, gradient] of Object.entries(grads)) {
      this.#advance(name, gradient, variables[name]!, step);
    }
    return norm;
  }

  /**
   * What an exact resume needs, as tensors that the caller disposes: `step` (int32 scalar) and, for each variable
   * that has had a gradient, `m/<name>` and `v/<name>`.
   */
  state(): NamedTensorMap {
    const state: NamedTensorMap = { step: scalar(this.#steps, "int32") };
    for (const [name, { m, v }] of this.#moments) {
      state[`m/${name}`] = clone(m);
      state[`v/${name}`] = clone(v);
    }
    return state;
  }

  /**
   * Continues from what `state` gave; the tensors stay the caller's.
   *
   * @throws DataError SHAPE when `step` or half of a pair of moments is missing, DAMAGED when `step` is no count
   */
  restore(state: NamedTensorMap): void {
    const names = Object.keys(state).filter((key) => key.startsWith("m/"));
    const wanted = ["step", ...names, ...names.map((key) => key.replace("m/", "v/"))];
    const missing = wanted.find((key) => !state[key]);
    if (missing !== undefined || Object.keys(state).length !== wanted.length) {
      throw new DataError("SHAPE", {
        op: "Adam.restore",
        rule: "state must hold step, and m/<name> with v/<name> for each variable",
        got: Object.keys(state).sort().join(", ") || "nothing",
        remedy: "pass what Adam.state gave",
      });
    }
    const steps = state.step!.dataSync()[0]!;
    if (!(Number.isSafeInteger(steps) && steps >= 0)) {
      const rule = "step must be a whole number from 0";
      throw new DataError("DAMAGED", {
        op: "Adam.restore",
        rule,
        got: steps,
        remedy: "pass what Adam.state gave",
      });
    }
    this.dispose();
    this.#steps = steps;
    for (const key of names) {
      const name = key.slice(2);
      this.#moments.set(name, { m: keep(clone(state[key]!)), v: keep(clone(state[`v/${name}`]!)) });
    }
  }

  /** Frees the moments; the next step starts from none. */
  dispose(): void {
    for (const { m, v } of this.#moments.values()) {
      m.dispose();
      v.dispose();
    }
    this.#moments.clear();
    this.#steps = 0;
  }

  #step(norm: number): Step {
    const { beta1, beta2, epsilon, weightDecay: decay, clipNorm } = this.#options;
    return {
      scale: clipNorm === undefined ? 1 : Math.min(1, clipNorm / (norm + 1e-6)),
      decay,
      beta1,
      beta2,
      step: this.learningRate / (1 - beta1 ** this.#steps),
      root: 1 / Math.sqrt(1 - beta2 ** this.#steps),
      epsilon,
    };
  }

  #advance(name: string, gradient: Tensor, variable: Variable, step: Step): void {
    const before = this.#moments.get(name) ?? { m: zerosLike(gradient), v: zerosLike(gradient) };
    const [value, m, v] = advance(variable, gradient, before, step) as [Tensor, Tensor, Tensor];
    // A new tensor each step: XNNPACK caches packed weights by tensor, and would go on with the old ones.
    variable.assign(value);
    before.m.dispose();
    before.v.dispose();
    this.#moments.set(name, { m: keep(m), v: keep(v) });
  }
}

function checkOption(option: string, value: number | undefined, rule: string, holds: boolean): void {
  if (!holds) refuseOption("Adam", option, rule, value);
}

/** Moments come from a state that `restore` was given; the kernel reads as many elements as the variable has. */
function checkMoments(name: string, moments: Moments | undefined, variable: Variable): void {
  const shape = variable.shape.join(", ");
  for (const [letter, moment] of Object.entries(moments ?? {})) {
    if (moment.shape.join(", ") === shape && moment.dtype === "float32") continue;
    throw new ShapeError("SHAPE", {
      op: "Adam.apply",
      rule: `the restored ${letter}/${name} must be float32 of shape [${shape}], as the variable is`,
      got: `${moment.dtype} of shape [${moment.shape.join(", ")}]`,
      remedy: "restore the state of this model",
    });
  }
}

function checkGradient(name: string, gradient: Tensor, variable: Variable | undefined): void {
  const shape = variable?.shape.join(", ");
  if (variable && shape === gradient.shape.join(", ") && gradient.dtype === "float32") return;
  throw new ShapeError("SHAPE", {
    op: "Adam.apply",
    rule: variable
      ? `the gradient "${name}" must be float32 of shape [${shape}]`
      : "a gradient must have a variable",
    got: variable ? `${gradient.dtype} of shape [${gradient.shape.join(", ")}]` : `none named "${name}"`,
    remedy: "name gradients as their variables are named",
  });
}
