/** ONNX Runtime, for WebAssembly and native alike: the fastest right one of the routes, tried before timing. */
import { seconds } from "../measure.mjs";
import { inputsOf, toHeads } from "./cases.mjs";
import { ROUTES } from "./onnx-routes.mjs";

/** @import { Peer } from "../contender.mjs" */
/** @import { Case } from "./cases.mjs" */
/** @import { Route } from "./onnx-routes.mjs" */

/** How long a route is tried before another one, at least one call. */
const TRY_SECONDS = 0.1;

async function least(/** @type {() => unknown} */ run) {
  let time = Infinity;
  for (let spent = 0; spent < TRY_SECONDS; ) {
    const { wall } = await seconds(run);
    time = Math.min(time, wall);
    spent += wall;
  }
  return time;
}

/**
 * @param {any} ort the module of onnxruntime-web or onnxruntime-node
 * @param {{ threads: number, provider: string }} settings
 */
function sessions(ort, { threads, provider }) {
  return async (/** @type {Route} */ route, /** @type {Case} */ c) => {
    const { model, feeds, layout } = route.build(c, inputsOf(c));
    const session = await ort.InferenceSession.create(model, {
      executionProviders: [provider],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
    });
    const tensors = Object.fromEntries(
      Object.entries(feeds).map(([name, { type, data, dims }]) => [name, new ort.Tensor(type, data, dims)]),
    );
    const run = () => session.run(tensors, ["output"]);
    const output = async () => {
      const { data } = (await run()).output;
      return layout === "tokens" ? toHeads(data, c.H, c.T, c.D) : new Float32Array(data);
    };
    return { route: route.name, run, output, dispose: () => session.release() };
  };
}

/** @returns {Omit<Peer, "versions">} */
export function onnxPeer(
  /** @type {any} */ ort,
  /** @type {{ threads: number, provider: string }} */ settings,
) {
  const open = sessions(ort, settings);
  return {
    refuses: ({ pass }) => (pass === "backward" ? "has no gradients" : undefined),
    async prepare(/** @type {Case} */ c) {
      let best;
      let record = Infinity;
      for (const route of ROUTES.filter(({ supports }) => supports(c))) {
        const candidate = await open(route, c);
        await candidate.run();
        const time = await least(candidate.run);
        const slower = time < record ? best : candidate;
        if (time < record) [best, record] = [candidate, time];
        await slower?.dispose();
      }
      if (!best) throw new Error("no route");
      return best;
    },
  };
}
