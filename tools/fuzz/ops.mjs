/** The campaign: programs one after the other, what they ran and what differed. */
import "heed/backend";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-layers";
import * as tf from "@tensorflow/tfjs-core";
import * as ops from "heed/ops";
import { asCode, Checker } from "./check.mjs";
import { countKernels } from "./coverage.mjs";
import { internalOps } from "./internal.mjs";
import { names, programOf } from "./programs.mjs";

const REPORT_EVERY_MS = 10_000;

/**
 * @param {{ programs: number, seed: number, from: number, failures: number, only?: string[], trace?: boolean }} options
 * @returns the exit status
 */
export async function fuzzOps({ programs, seed, from, failures, only = names, trace }) {
  const covered = countKernels(tf, "heed");
  const internal = await internalOps((file) => import(`../../build/ops/${file}.js`));
  const checker = new Checker(tf, { ...ops, ...internal });
  const started = Date.now();
  let [wrong, shown, reported] = [0, 0, started];
  /** @type {Record<string, number>} */
  const wrongKinds = {};
  for (let index = from; index < programs; index++) {
    const { name, program } = programOf(seed, index, only);
    if (trace) console.error(`${index} ${name} ${program.call}`);
    const fault = await checker.check(program, name, seed + index);
    if (fault !== undefined) {
      wrong++;
      wrongKinds[name] = (wrongKinds[name] ?? 0) + 1;
      if (wrongKinds[name] <= 2 && shown++ < failures) {
        console.log(
          `\n${name}, ${fault}\n${asCode(program, `--seed ${seed} --from ${index} --programs ${index + 1}`)}\n`,
        );
      }
    }
    if (Date.now() - reported > REPORT_EVERY_MS) {
      reported = Date.now();
      const rate = Math.round(((index + 1 - from) * 1000) / (reported - started));
      console.log(`${index + 1} of ${programs} programs, ${rate}/s, ${wrong} wrong`);
    }
  }
  const kernels = covered();
  console.log(
    `${programs - from} programs of seed ${seed}, ${checker.gradients} gradients, ${checker.differences} of them by differences too`,
  );
  console.log(
    `${kernels.ran.length} of ${kernels.ran.length + kernels.idle.length} kernels ran; not: ${kernels.idle.join(" ")}`,
  );
  for (const [title, counts] of Object.entries({
    "refused by heed": checker.refused,
    "not computed by cpu": checker.cpuRefused,
    "no gradient anywhere": checker.noGradient,
    wrong: wrongKinds,
  })) {
    const rows = Object.entries(counts).sort(([, a], [, b]) => b - a);
    if (rows.length > 0)
      console.log(`\n${title}:\n${rows.map(([key, n]) => `${String(n).padStart(6)}  ${key}`).join("\n")}`);
  }
  return wrong > 0 ? 1 : 0;
}
