import * as tf from "@tensorflow/tfjs-core";

export interface StateSteps {
  /** What chunk c adds to the state. [M, N, D, Dv] */
  update: tf.Tensor4D;
  /** What chunk c leaves of the state: a matrix [M, N, D, D], or factors [M, N, 1 or D, 1]. @default all of it */
  transition?: tf.Tensor4D;
  /** The state before the first chunk. [M, D, Dv] @default zeros */
  initial?: tf.Tensor3D;
}

/**
 * The states before each of N chunks, and with `last` the one after them: N small steps, each over all M sequences.
 *
 *     S_0 = initial,    S_{c+1} = A_c S_c + U_c
 *
 * Symbols: A transition, U update. Shapes: → [M, N, D, Dv], or [M, N + 1, D, Dv] with `last`.
 * Its gradient runs the same steps backwards, λ_c = dS_c + A_cᵀ λ_{c+1}, and keeps nothing but the states: composed,
 * every step would leave its intermediate results behind.
 */
export function scanStates({ update, transition, initial }: StateSteps, last: boolean): tf.Tensor4D {
  const [M, N, D, Dv] = update.shape;
  const isMatrix =
    transition !== undefined && transition.shape[3] === D && transition.shape[2] === D && D > 1;
  const steps = last ? N : N - 1;
  const apply = (a: tf.Tensor | undefined, s: tf.Tensor, transposed: boolean) => {
    if (!a) return s;
    return isMatrix ? tf.matMul(a, s, transposed) : tf.mul(a, s);
  };
  const given = { update, ...(transition && { transition }), ...(initial && { initial }) };
  const names = Object.keys(given);
  const scan = tf.customGrad((...args) => {
    const save = args.pop() as unknown as tf.GradSaveFunc;
    const inputs = Object.fromEntries(names.map((name, n) => [name, args[n] as tf.Tensor]));
    const updates = tf.unstack(inputs.update!, 1);
    const transitions = inputs.transition ? tf.unstack(inputs.transition, 1) : [];
    const states = [inputs.initial ?? tf.zeros([M, D, Dv])];
    for (let c = 0; c < steps; c++) {
      states.push(tf.add(apply(transitions[c], states[c]!, false), updates[c]!));
    }
    const value = tf.stack(states, 1);
    save(inputs.transition ? [value, inputs.transition] : [value]);
    const gradFunc = (dy: tf.Tensor, [kept, factors]: tf.Tensor[]) => {
      const dStates = tf.unstack(dy, 1);
      const left = factors ? tf.unstack(factors, 1) : [];
      // after[c] is the gradient of the state after chunk c; a chunk whose state nobody reads has none.
      const after = Array.from({ length: N }, () => tf.zeros([M, D, Dv]));
      let dState = dStates[steps]!;
      for (let c = steps - 1; c >= 0; c--) {
        after[c] = dState as tf.Tensor3D;
        dState = tf.add(dStates[c]!, apply(left[c], dState, true));
      }
      const dUpdate = tf.stack(after, 1);
      const before = last ? tf.slice(kept!, [0, 0, 0, 0], [M, N, D, Dv]) : kept!;
      const gradients: Record<string, () => tf.Tensor> = {
        update: () => dUpdate,
        transition: () => {
          if (isMatrix) return tf.matMul(dUpdate, before, false, true);
          const axes = factors!.shape[2] === 1 && D > 1 ? [2, 3] : [3];
          return tf.sum(tf.mul(dUpdate, before), axes, true);
        },
        initial: () => dState,
      };
      return names.map((name) => gradients[name]!());
    };
    return { value, gradFunc: gradFunc as unknown as (dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor[] };
  });
  return scan(...(Object.values(given) as tf.Tensor[])) as tf.Tensor4D;
}
