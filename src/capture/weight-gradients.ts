import { add, grads, matMul, mul, reshape, type Tensor, sum as total, zeros } from "@tensorflow/tfjs-core";
import type { OptionError } from "../core/errors.ts";
import { MASKED } from "../inspect/cells.ts";
import { layerMap, type TraceLayer, type TraceTensor, traceTensor } from "../inspect/index.ts";
import type { Layout } from "../kernels/layout.ts";
import { attentionCalls } from "../ops/attention/observe.ts";
import { tidyData } from "../ops/tidy.ts";
import { headsOf, layoutOf, numbers, oneNumber } from "./example.ts";
import { notFinite, refusal } from "./refuse.ts";

/** One example's values of a call, and how its output is laid out. */
interface Called {
  readonly layout: Layout;
  /** [Hkv, S, Dv] */
  readonly values: Float32Array;
}

/**
 * The gradient of a number by the weights of every call of attention on the way to it, for one example.
 *
 *     ∂y/∂α_ts = ∂y/∂o_t · v_s,    ∂y/∂o that of zeros which are added to the call's output o
 *
 * What reaches y past the outputs, through weights that are returned say, is not in it. Calls that y does not need and
 * hidden keys get 0. Cost: one more run of the target with its gradients, and arrays as large as the weights.
 *
 * @param outputs the shapes of the calls' outputs, in their order
 * @throws OptionError UNSUPPORTED, NOT_FINITE
 */
export function weightGradients(
  op: string,
  target: () => Tensor,
  layers: readonly TraceLayer[],
  outputs: readonly (readonly number[])[],
  example: number,
): TraceTensor[] {
  const calls: Called[] = [];
  const y = (...nudges: Tensor[]) => {
    const number = attentionCalls.during((call) => {
      const nudge = nudges[calls.length];
      if (`${nudge?.shape}` !== `${call.output.shape}`) throw changed(op, `a call ${calls.length} more`);
      const layout = layoutOf(call);
      calls.push({ layout, values: numbers(headsOf(call.values, layout, example)) });
      call.output = add(call.output, nudge!);
    }, target);
    if (calls.length < nudges.length) throw changed(op, `${calls.length} calls of ${nudges.length}`);
    // So that y depends on each, and those that it does not need get zeros.
    return nudges.reduce((y, nudge) => add(y, mul(total(nudge), 0)), oneNumber(op, "gradientOf", number));
  };
  return tidyData(() =>
    grads(y)(outputs.map((shape) => zeros([...shape]))).map((gradient, n) =>
      throughValues(op, layers[n]!, calls[n]!, headsOf(gradient, calls[n]!.layout, example)),
    ),
  );
}

/** dout [H, T, Dv] · v [Hkv, S, Dv] → [H, T, S], 0 where hidden. */
function throughValues(op: string, layer: TraceLayer, { values }: Called, dout: Tensor): TraceTensor {
  const { H, T, S, index, name } = layer;
  const Dv = dout.shape[2]!;
  const Hkv = values.length / (S * Dv);
  // The query heads that share values are rows of one product.
  const rows = reshape(dout, [Hkv, (H / Hkv) * T, Dv]);
  const gradient = numbers(matMul(rows, reshape(values, [Hkv, S, Dv]), false, true)).slice();
  const map = layerMap(layer);
  for (let h = 0, e = 0; h < H; h++)
    for (let t = 0; t < T; t++) {
      const { kinds } = map.row(h, t);
      for (let s = 0; s < S; s++, e++) {
        if (kinds[s] === MASKED) gradient[e] = 0;
        const got = gradient[e]!;
        if (got - got === 0) continue;
        const place = `grad.${index} of ${name}, head ${h}, query ${t}, key ${s},`;
        throw notFinite(op, place, got, "look for an overflow between it and gradientOf");
      }
    }
  return traceTensor([H, T, S], gradient);
}

function changed(op: string, got: string): OptionError<"UNSUPPORTED"> {
  const rule = "call the same attention each time it runs";
  const remedy = "capture what depends on its input alone";
  return refusal(op, "the target", rule, got, remedy);
}
