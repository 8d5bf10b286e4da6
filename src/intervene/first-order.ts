import {
  add,
  clone,
  customGrad,
  keep,
  mul,
  type Scalar,
  scalar,
  sub,
  sum,
  type Tensor,
  valueAndGrad,
  zerosLike,
} from "@tensorflow/tfjs-core";
import { layoutOf, numbers, oneNumber } from "../capture/example.ts";
import { OptionError } from "../core/errors.ts";
import { forgetTape } from "../host/tape.ts";
import { type AttentionCall, attentionCalls } from "../ops/attention/observe.ts";
import { tidyData } from "../ops/tidy.ts";
import { changed } from "./apply.ts";
import type { EffectPlan, Effects } from "./head-effects.ts";
import { type KeyNodes, keyEffects, keyNodes } from "./key-effects.ts";
import { planOf } from "./plan.ts";
import type { Recorded } from "./recording.ts";
import { checkDone } from "./refuse.ts";
import { asBefore, headsFirst, untaped } from "./tensors.ts";

/** What is known of a call while it runs; its gradient comes later. */
interface Node {
  /** Of the tensor whose gradient is caught: [B, heads, rows, features]. */
  readonly shape: readonly number[];
  /** Its heads for each head that is counted. */
  readonly share: number;
  /** n' − n in that shape; absent where keys say more. */
  readonly delta?: Tensor;
  /** Of keys one by one behind the softmax. */
  readonly keys?: KeyNodes;
  /** ∂m/∂n, once it has been there. */
  slope?: Tensor;
}

/**
 * Effects to first order, from one run and its gradients.
 *
 * @param held the call whose output lets no gradient through
 */
export function firstOrderEffects<R>(
  run: () => R,
  metric: (result: R) => Tensor,
  plan: EffectPlan,
  held?: number,
): Effects {
  const { op, per } = plan;
  const nodes: Node[] = [];
  const outer = attentionCalls.observer;
  try {
    return tidyData(() => {
      // Every node gets this 0 added, so that gradients go through all of them.
      const y = (nothing: Scalar) => {
        nodes.length = 0;
        const observe = (call: AttentionCall) => {
          const { node, output } = hooked(call, nodes.length, nothing, plan);
          call.output = nodes.length === held ? constant(output) : output;
          nodes.push(node);
          outer?.(call);
        };
        const result = checkDone(op, attentionCalls.during(observe, run));
        return add<Scalar>(oneNumber(op, "the metric", metric(result)), mul(nothing, 0));
      };
      const { value } = valueAndGrad(y as (x: Tensor) => Tensor)(scalar(0));
      const effects = nodes.map((node) => effectsOf(node, per));
      return {
        value: numbers(value)[0]!,
        effects: effects.map(({ all }) => all),
        heads: effects.map(({ heads }) => heads),
      };
    });
  } catch (error) {
    forgetTape();
    throw error;
  } finally {
    for (const { delta, slope } of nodes) {
      delta?.dispose();
      slope?.dispose();
    }
  }
}

/** GradDrop: the mean size of the effects that are left where each call in turn is held. */
export function droppedEffects<R>(run: () => R, metric: (result: R) => Tensor, plan: EffectPlan): Effects {
  const whole = firstOrderEffects(run, metric, plan);
  const calls = whole.effects.length;
  if (calls < 2) {
    const fault = { op: plan.op, rule: "gradDrop must have two calls of attention or more", got: calls };
    throw new OptionError("UNSUPPORTED", { ...fault, remedy: "leave gradDrop out" });
  }
  const sums = whole.effects.map(({ length }) => new Float64Array(length));
  for (let held = 0; held < calls; held++) {
    const { effects } = firstOrderEffects(run, metric, plan, held);
    for (const [call, sum] of sums.entries())
      for (const [at, effect] of effects[call]!.entries()) sum[at]! += Math.abs(effect) / (calls - 1);
  }
  return { ...whole, effects: sums };
}

/** The node of a call, and the output that goes on, behind which its gradient is caught. */
function hooked(call: AttentionCall, layer: number, nothing: Scalar, plan: EffectPlan) {
  const { op, of, per, softmax } = plan;
  const layout = layoutOf(call);
  const runs = { other: plan.from ?? { calls: [nothingOf(call, of)] } };
  const fromLayer = plan.from ? layer : 0;
  const given = [[0, { do: "patch", what: of, from: "other", fromLayer }]] as const;
  // Refuses what is not there.
  planOf(op, layer, call, given, runs);
  const recorded = runs.other.calls[fromLayer]![of]!;
  const { H, Hkv } = call.program.shapes;
  const own = ofCall(call, of)!;
  if (of === "output" || (of !== "v" && softmax === "corrected")) {
    const output = headsFirst(call.output, layout);
    const { shape } = output;
    const share = of === "k" ? H / Hkv : 1;
    const node: Node =
      of === "k" && per === "token"
        ? { shape, share, keys: keyNodes(call, recorded) }
        : {
            shape,
            share,
            delta: kept(() => sub(headsFirst(changed(op, layer, call, given, runs).output, layout), output)),
          };
    return { node, output: asBefore(caught(add(output, nothing), node), layout, call.output) };
  }
  const x = headsFirst(own, layout);
  const node: Node = { shape: x.shape, share: 1, delta: kept(() => sub(recorded, x)) };
  const through = asBefore(caught(add(x, nothing), node), layout, own);
  const { output } = call.again(of === "v" ? { values: through } : { [of]: through });
  return { node, output };
}

const ofCall = ({ scored, values, output }: AttentionCall, of: EffectPlan["of"]): Tensor | undefined =>
  ({ q: scored?.q, k: scored?.k, v: values, output })[of];

/** A recorded call whose part is 0. */
function nothingOf(call: AttentionCall, of: EffectPlan["of"]): Recorded {
  const own = ofCall(call, of);
  return { op: call.program.op, ...(own && { [of]: zerosLike(headsFirst(own, layoutOf(call))) }) };
}

const kept = (make: () => Tensor): Tensor => keep(untaped(make));

/** x, whose gradient the node gets to know. */
function caught(x: Tensor, node: Node): Tensor {
  const watch = customGrad((given) => ({
    value: clone(given as Tensor),
    gradFunc: (dy: Tensor) => {
      node.slope = keep(clone(dy));
      return dy;
    },
  }));
  return watch(x);
}

/** x, with a gradient of 0. */
function constant(x: Tensor): Tensor {
  const hold = customGrad((given) => ({
    value: clone(given as Tensor),
    gradFunc: (dy: Tensor) => zerosLike(dy),
  }));
  return hold(x);
}

/** [heads] or [heads, rows] of one call; 0 where the metric does not need it. */
function effectsOf({ shape, delta, share, slope, keys }: Node, per: EffectPlan["per"]) {
  const [, H, rows] = shape as [number, number, number];
  const heads = H / share;
  if (keys) return { heads, all: keyEffects(keys, slope && numbers(slope)) };
  const many = per === "head" ? 1 : rows;
  const all = new Float64Array(heads * many);
  if (!slope) return { heads, all };
  const products = numbers(sum(mul(delta!, slope), [0, 3]));
  for (const [e, product] of products.entries())
    all[Math.floor(e / rows / share) * many + (per === "head" ? 0 : e % rows)]! += product;
  return { heads, all };
}
