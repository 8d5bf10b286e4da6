/** ONNX Runtime, for WebAssembly and native alike: the fastest right one of the routes, tried before timing. */
import { inputsOf, toHeads } from "./cases.mjs";
import { fastest } from "./fastest.mjs";
import { ROUTES } from "./onnx-routes.mjs";

/** @import { Peer } from "../contender.mjs" */
/** @import { Case } from "./cases.mjs" */
/** @import { Route } from "./onnx-routes.mjs" */

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
    prepare: (/** @type {Case} */ c) =>
      fastest(
        ROUTES.filter(({ supports }) => supports(c)).map((route) => () => open(route, c)),
        settings.threads,
      ),
  };
}
