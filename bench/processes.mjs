/** Starts the processes of the contenders and talks to them; ./contender.mjs is the other side. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** @import { Contender } from "./contenders.mjs" */

const CHILD = fileURLToPath(new URL("./contender.mjs", import.meta.url));

/** The longest that a contender may take for one answer. */
const PATIENCE_MS = 900_000;

/** Emscripten's and ONNX Runtime's notes to the console would end up between the lines of the table. */
const QUIET = /** @type {const} */ (["ignore", "ignore", "ignore", "ipc"]);

export class Process {
  #child;

  constructor(/** @type {Contender} */ contender) {
    this.contender = contender;
    // Relaxed SIMD, which heed asks for itself, is granted to every peer: Node 20 has it behind a flag.
    const flags =
      Number(process.versions.node.split(".")[0]) < 22 ? ["--experimental-wasm-relaxed-simd"] : [];
    this.#child = fork(CHILD, [], { execArgv: flags, stdio: [...QUIET], serialization: "advanced" });
  }

  /** @returns {Promise<any>} */
  ask(/** @type {string} */ request, /** @type {object} */ message = {}) {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => done(reject, new Error("gave no answer in time")), PATIENCE_MS);
      const heard = (/** @type {{ answer?: unknown, error?: string }} */ { answer, error }) =>
        error === undefined ? done(resolve, answer) : done(reject, new Error(error));
      const ended = (/** @type {number | null} */ code, /** @type {string | null} */ signal) =>
        done(reject, new Error(`its process ended: ${signal ?? code}`));
      const done = (/** @type {(value: any) => void} */ settle, /** @type {unknown} */ value) => {
        clearTimeout(late);
        child.off("message", heard).off("exit", ended);
        settle(value);
      };
      if (!child.connected) return done(reject, new Error("its process has ended"));
      child.once("message", heard).once("exit", ended);
      child.send({ request, ...message });
    });
  }

  /** Ends the process; a case may have left it busy. */
  stop() {
    this.#child.kill();
  }
}
