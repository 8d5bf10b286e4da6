// `npm run fuzz -- ops --programs 100000 --seed 7`: random programs over every kernel of the `heed` backend, values and
// gradients, against the `cpu` backend. Prints where it stands and each program that differs, as code; exits with 1 if
// there was one. `--from 5000` resumes where it was stopped, `--only conv2d,maxPool` runs these kinds alone,
// `--trace` names each program before it runs.
// `npm run fuzz -- readers --mutations 100000 --seed 7`: so many damaged copies of a small checkpoint of each format, of each
// JSON file of a published model, and of traces; `--only keras,config.json` takes those alone whose names have these parts.
// `npm run fuzz -- attention --programs 2000 --seed 7`: random option sets of attention on every path of the processor, forward
// and backward, against the reference in float64.
// `npm run fuzz -- webgpu --programs 2000 --seed 7`: random option sets of attention on the kernels of WebGPU, forward and
// backward, on a software device, against the reference in float64.
// `npm run fuzz -- webgpu-backend`: every conformance case and every layer on TensorFlow.js' `webgpu` backend, and
// every classic function of scores on its kernels.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import "../quiet-pipe.mjs";
import { runTests } from "./tests.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    programs: { type: "string", default: "10000" },
    mutations: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
    only: { type: "string" },
    failures: { type: "string", default: "20" },
    trace: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  // What stands at the head of this file.
  const lines = readFileSync(fileURLToPath(import.meta.url), "utf8").split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  console.log(
    lines
      .slice(0, end)
      .map((line) => line.slice(3))
      .join("\n"),
  );
  process.exit(0);
}
const [seed, from, failures] = [values.seed, values.from, values.failures].map(Number);
switch (positionals[0]) {
  case "ops": {
    const { fuzzOps } = await import("./ops.mjs");
    const { only, trace } = values;
    const programs = Number(values.programs);
    process.exitCode = await fuzzOps({ programs, seed, from, failures, only: only?.split(","), trace });
    break;
  }
  case "readers": {
    const { fuzzReaders } = await import("./readers.mjs");
    const only = values.only?.split(",");
    process.exitCode = await fuzzReaders({ mutations: Number(values.mutations), seed, from, failures, only });
    break;
  }
  case "attention": {
    const env = { HEED_PROBLEMS: values.programs, HEED_SEED: values.seed };
    process.exitCode = runTests(["test/conformance/property.test.ts"], env);
    break;
  }
  case "webgpu": {
    const { fuzzWebgpu } = await import("./webgpu.mjs");
    process.exitCode = await fuzzWebgpu({ programs: Number(values.programs), seed, from, failures });
    break;
  }
  case "webgpu-backend": {
    const tests = ["test/conformance/conformance.test.ts", "test/host/webgpu", "test/kernels/webgpu"];
    process.exitCode = runTests(tests, { HEED_WEBGPU: "all", HEED_CLASSICS: "all" });
    break;
  }
  default:
    console.error(
      `fuzz: what to run must be ops, readers, attention, webgpu or webgpu-backend, got ${positionals[0] ?? "nothing"}; npm run fuzz -- ops`,
    );
    process.exitCode = 2;
}
