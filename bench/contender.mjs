/**
 * The process of one contender. It does what ./processes.mjs asks for, one request at a time, and is idle between.
 *
 * A contender's module exports `load(settings)`, which answers a `Peer`; whatever it throws is the reason why the peer
 * is absent. A peer prepares a case once, with all its inputs already in its own form, and is then timed.
 */
import { seconds } from "./measure.mjs";

/**
 * @typedef {object} Prepared
 * @property {string} route how the peer computes the case
 * @property {() => unknown} run one call; a promise is waited for
 * @property {() => Promise<Float32Array> | Float32Array} output what a call gives, in heed's layout
 * @property {() => unknown} [dispose]
 */
/**
 * @typedef {object} Peer
 * @property {Record<string, string>} versions
 * @property {string} [note]
 * @property {(c: any) => string | undefined} refuses why it does not take part in a case
 * @property {(c: any) => Promise<Prepared> | Prepared} prepare
 */

/** The most calls before the clock starts; they are there for the engine to optimise what it will run. */
const WARM_CALLS = 100;
/** A first call that takes this long is warm at its end. */
const SLOW_SECONDS = 10;

/** @type {Peer | undefined} */
let peer;
/** @type {Prepared | undefined} */
let prepared;

async function once() {
  const answer = prepared?.run();
  if (answer instanceof Promise) await answer;
}

async function repeat(/** @type {number} */ calls) {
  for (let call = 0; call < calls; call++) {
    const answer = prepared?.run();
    if (answer instanceof Promise) await answer;
  }
}

const REQUESTS = {
  async load(/** @type {{ module: string, settings: object }} */ { module, settings }) {
    const { load } = await import(new URL(module, import.meta.url).href);
    peer = await load(settings);
    return { versions: peer?.versions, note: peer?.note };
  },
  /** Answers the output, to be checked before anything is timed, and how long a warm call takes. */
  async prepare(/** @type {{ name: string, warm: number }} */ { name, warm }) {
    const c = (await import("./cases.mjs")).caseOf(name);
    const refusal = peer?.refuses(c);
    if (refusal) return { refusal };
    prepared = await peer?.prepare(c);
    let output;
    let call = (
      await seconds(async () => {
        output = await prepared?.output();
      })
    ).wall;
    // The first call may have compiled what it ran, so it says little of the next.
    for (let [spent, calls] = [0, 0]; call < SLOW_SECONDS && spent < warm && calls < WARM_CALLS; calls++) {
      call = (await seconds(once)).wall;
      spent += call;
    }
    return { route: prepared?.route, output, call };
  },
  async time(/** @type {{ calls: number }} */ { calls }) {
    const spent = await seconds(() => repeat(calls));
    return { wall: spent.wall / calls, cpu: spent.cpu / calls };
  },
  async dispose() {
    await prepared?.dispose?.();
    prepared = undefined;
    return {};
  },
};

process.on("message", async (/** @type {{ request: keyof typeof REQUESTS }} */ message) => {
  try {
    process.send?.({ answer: await REQUESTS[message.request](/** @type {any} */ (message)) });
  } catch (error) {
    process.send?.({ error: error instanceof Error ? error.message : String(error) });
  }
});
process.on("disconnect", () => process.exit(0));
