/** The networks in jax-js: loss, gradients and Adam in one compiled step, on its WebAssembly device. */
import { loadJax } from "../jax.mjs";
import { jaxPrograms } from "./jax-programs.mjs";
import { ADAM, setUp } from "./tasks.mjs";

/** @import { Peer } from "../contender.mjs" */
/** @import { Task, Values } from "./tasks.mjs" */

/** @returns {Promise<Peer>} */
export async function load() {
  const { jax, versions } = await loadJax();
  const { jit, numpy: np, tree, valueAndGrad } = jax;
  const programs = jaxPrograms(jax);
  const array = (/** @type {Values} */ { values, shape }) => np.array(values).reshape(shape);
  const { learningRate, beta1, beta2, epsilon } = ADAM;

  /** p, m and v of one step; an array that is used twice is counted twice (`ref`). */
  function adam(
    /** @type {any} */ p,
    /** @type {any} */ g,
    /** @type {any} */ m,
    /** @type {any} */ v,
    /** @type {any} */ rates,
  ) {
    const m1 = m.mul(beta1).add(g.ref.mul(1 - beta1));
    const v1 = v.mul(beta2).add(g.ref.mul(g).mul(1 - beta2));
    const [rate, root] = rates;
    const change = m1.ref.mul(rate).div(np.sqrt(v1.ref).mul(root).add(epsilon));
    return [p.sub(change), m1, v1];
  }

  return {
    versions,
    refuses: () => undefined,
    prepare(/** @type {Task} */ task) {
      const { weights, ...data } = setUp(task);
      const { loss, inputs } = programs[task.kind](task.sizes, data);
      const names = Object.keys(weights);
      const compiled = jit(
        (
          /** @type {any} */ params,
          /** @type {any} */ m,
          /** @type {any} */ v,
          /** @type {any} */ rate,
          /** @type {any} */ root,
          /** @type {any} */ data,
        ) => {
          const [value, grads] = valueAndGrad((/** @type {any} */ p) => loss(p, data))(tree.ref(params));
          /** @type {any} */
          const next = { p: {}, m: {}, v: {} };
          for (const name of names) {
            const [p1, m1, v1] = adam(params[name], grads[name], m[name], v[name], [rate.ref, root.ref]);
            Object.assign(next.p, { [name]: p1 });
            Object.assign(next.m, { [name]: m1 });
            Object.assign(next.v, { [name]: v1 });
          }
          rate.dispose();
          root.dispose();
          return [value, next.p, next.m, next.v];
        },
      );
      const zeros = () => Object.fromEntries(names.map((name) => [name, np.zeros(weights[name].shape)]));
      let params = Object.fromEntries(names.map((name) => [name, array(weights[name])]));
      let [m, v] = [zeros(), zeros()];
      let steps = 0;
      const step = async () => {
        steps++;
        const rate = np.array(learningRate / (1 - beta1 ** steps));
        const root = np.array(1 / Math.sqrt(1 - beta2 ** steps));
        let value;
        [value, params, m, v] = compiled(params, m, v, rate, root, tree.ref(inputs));
        return (await value.data())[0];
      };
      return {
        route: "jit of valueAndGrad and Adam",
        run: step,
        output: async () => Float32Array.of(await step(), await step()),
        dispose: () => tree.dispose([params, m, v, inputs]),
      };
    },
  };
}
