// `npm run fuzz -- ops --programs 100000 --seed 7`: random programs over every kernel of the `heed` backend, values and
// gradients, against the `cpu` backend. Prints where it stands and each program that differs, as code; exits with 1 if
// there was one. `--from 5000` resumes where it was stopped, `--only conv2d,maxPool` runs these kinds alone,
// `--trace` names each program before it runs.
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    programs: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
    only: { type: "string" },
    failures: { type: "string", default: "20" },
    trace: { type: "boolean", default: false },
  },
});
if (positionals[0] !== "ops") {
  console.error(`fuzz: what to run must be ops, got ${positionals[0] ?? "nothing"}; npm run fuzz -- ops`);
  process.exit(2);
}
const { fuzzOps } = await import("./ops.mjs");
const [programs, seed, from, failures] = [values.programs, values.seed, values.from, values.failures].map(
  Number,
);
process.exitCode = await fuzzOps({
  programs,
  seed,
  from,
  failures,
  only: values.only?.split(","),
  trace: values.trace,
});
