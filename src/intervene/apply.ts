import { logicalAnd, logicalNot, mul, type Tensor, zeros } from "@tensorflow/tfjs-core";
import { layoutOf } from "../capture/example.ts";
import { type AttentionProgram, withAllow } from "../core/program.ts";
import { aggregate, dropoutTensor } from "../ops/attention/composed.ts";
import type { AttentionCall, CallChange } from "../ops/attention/observe.ts";
import { type Numbered, type Plan, planOf, type Runs } from "./plan.ts";
import { isWhole, maskOf, type Region, select } from "./region.ts";
import { asBefore, headsFirst, stopped } from "./tensors.ts";

/**
 * A call as interventions change it. Where they change what goes in or what is seen it is made again: one pass more.
 *
 * @throws OptionError OPTION, UNSUPPORTED · ShapeError SHAPE, all before anything is computed
 */
export function changed(
  op: string,
  layer: number,
  call: AttentionCall,
  given: readonly Numbered[],
  runs: Runs,
): AttentionCall {
  const plan = planOf(op, layer, call, given, runs);
  const { B, T, S, Dv } = call.program.shapes;
  return B * T * S * Dv === 0 ? call : applied(call, plan);
}

function applied(call: AttentionCall, plan: Plan): AttentionCall {
  const { edits, outputs } = plan;
  const layout = layoutOf(call);
  const change = changeOf(call, plan);
  const { program = call.program, values = call.values } = change;
  let made: AttentionCall | undefined;
  // Made where it is asked for: other values or frozen weights may need another pass instead.
  const base = () => {
    made ??= Object.keys(change).length > 0 ? call.again(change) : call;
    return made;
  };
  const now: Now = { call, program, values: headsFirst(values, layout), change, base };
  let output = isFast(plan, call) ? alongRows(plan, now) : throughWeights(plan, now);
  for (const { region, x } of outputs) {
    const before = output;
    output = select(region, x, () => before);
  }
  const { scored, lse } = call;
  const isSoftmax = edits.length === 0 && scored && lse;
  return {
    program: edits.some(({ passesMasks }) => passesMasks) ? withoutMask(program) : program,
    values,
    ...(isSoftmax && {
      scored: { layout, q: change.q ?? scored.q, k: change.k ?? scored.k },
      lse: () => base().lse!(),
    }),
    weights: () =>
      isSoftmax
        ? base().weights()
        : asBefore(
            edited(plan, now, (weights) => weights),
            "bhtd",
            call.output,
          ),
    output: asBefore(output, layout, call.output),
    again: (other) => applied(call.again(other), plan),
  };
}

/** What goes into the call now, and what its queries see. */
function changeOf(call: AttentionCall, { inputs, hidden }: Plan): CallChange {
  const { program, scored, values } = call;
  const layout = layoutOf(call);
  const patched = (what: "q" | "k" | "v", own: Tensor | undefined) => {
    const of = inputs.filter((input) => input.what === what);
    if (of.length === 0) return undefined;
    let x = headsFirst(own!, layout);
    for (const { region, x: other } of of) {
      const before = x;
      x = select(region, other, () => before);
    }
    return asBefore(x, layout, own!);
  };
  const [q, k, v] = [patched("q", scored?.q), patched("k", scored?.k), patched("v", values)];
  return {
    ...(q && { q }),
    ...(k && { k }),
    ...(v && { values: v }),
    ...(hidden.length > 0 && { program: hiding(program, hidden) }),
  };
}

/** A program that hides these places too. A row that sees nothing then gives 0: the mean of its keys would show what is hidden. */
function hiding(program: AttentionProgram<Tensor>, hidden: readonly Region[]): AttentionProgram<Tensor> {
  const { B, T, S, H } = program.shapes;
  const seen = hidden.map((region) => logicalNot(maskOf(region, [B, H, T, S])));
  const own = program.allow ? [program.allow.array, ...seen] : seen;
  return {
    ...withAllow(
      program,
      own.reduce((a, b) => logicalAnd(a, b)),
    ),
    onEmptyRow: "zero",
  };
}

/** For weights that stand wherever they were put. */
const withoutMask = (program: AttentionProgram<Tensor>): AttentionProgram<Tensor> => ({
  ...program,
  ...{ allow: undefined, bias: undefined, queryLengths: undefined, keyLengths: undefined },
  ...{ left: Number.POSITIVE_INFINITY, right: Number.POSITIVE_INFINITY },
});

/** Whether all edits can be had without weights: by rows of the output, or by other values. */
function isFast({ edits, frozen }: Plan, { scored }: AttentionCall): boolean {
  if (frozen.length > 0 && !scored) return false;
  let hasRead = false;
  for (const { output, values, readsValues } of edits) {
    if (!output && (!values || hasRead)) return false;
    hasRead ||= readsValues ?? false;
  }
  return true;
}

/** A call while it is changed. */
interface Now {
  /** As it was. */
  readonly call: AttentionCall;
  readonly program: AttentionProgram<Tensor>;
  /** [B, Hkv, S, Dv] */
  readonly values: Tensor;
  readonly change: CallChange;
  /** With its new inputs and mask. */
  readonly base: () => AttentionCall;
}

/** The weights [B, H, T, S] after all edits, which stand behind the dropout of the others. */
function edited({ edits, frozen }: Plan, { base }: Now, drop: (weights: Tensor) => Tensor): Tensor {
  const own = () => drop(headsFirst(base().weights(), "bhtd"));
  const held = frozen.reduce<() => Tensor>(
    (before, region) => () => {
      const x = before();
      return select(region, stopped(x), () => x);
    },
    own,
  );
  return edits.reduce<() => Tensor>((before, edit) => () => edit.weights(before), held)();
}

/** Output [B, H, T, Dv] of the weights after all edits. */
function throughWeights(plan: Plan, now: Now): Tensor {
  const { program, values } = now;
  const weights = edited(plan, now, (own) => (program.dropout ? mul(own, dropoutTensor(program)) : own));
  // A weight of 0 reads nothing, not even NaN.
  return aggregate(program, weights, values, zeros([1, 1, 1, 1], "bool"));
}

/** Output [B, H, T, Dv] without the weights: of other values, and row by row. */
function alongRows({ edits, frozen }: Plan, { call, change, base, values }: Now): Tensor {
  const layout = layoutOf(call);
  const ofKeys = edits.flatMap((edit) => edit.values ?? []);
  const replaced = ofKeys.length > 0 && {
    values: asBefore(
      ofKeys.reduce((x, edit) => edit(x), values),
      layout,
      call.values,
    ),
  };
  const all = { ...change, ...replaced };
  const live = () => headsFirst((replaced ? call.again(all) : base()).output, layout);
  const held = () => headsFirst(call.again({ ...all, ...heldOf(call, all) }).output, layout);
  const before = () => {
    if (frozen.length === 0) return live();
    const constant = held();
    if (frozen.some(isWhole)) return constant;
    return frozen.reduce((x, region) => select(region, constant, () => x), live());
  };
  return edits.reduce<() => Tensor>(
    (given, { output }) => (output ? () => output(given, values) : given),
    before,
  )();
}

/** The call's scores as constants. */
function heldOf(
  { program: own, scored }: AttentionCall,
  { program = own, q = scored!.q, k = scored!.k }: CallChange,
): CallChange {
  const { bias, sink } = program;
  const constants = {
    ...(bias && { bias: { ...bias, array: stopped(bias.array) } }),
    ...(typeof sink === "object" && { sink: stopped(sink) }),
  };
  return { program: { ...program, ...constants }, q: stopped(q), k: stopped(k) };
}
