// Translates 16 batches of two lines on so many threads, from the built package: worker threads load no TypeScript.
import { translateBatches } from "../../../build/tasks/translation/batches.js";
import { loadTranslator } from "../../../build/tasks/translation/load.js";

const [folder, workers, threads, beam] = process.argv.slice(2);
const translator = await loadTranslator(folder);
let here = 0;
const slow = {
  translate(lines, options) {
    here++;
    // A batch of a real model takes longer than a worker to start.
    if (threads !== "1") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
    return translator.translate(lines, options);
  },
};
const batches = Array.from({ length: 16 }, (_, n) => [
  `I see ${n} dogs.`,
  `Where is Tom ${"now ".repeat(n)}?`,
]);
const options = { beam: Number(beam) };
const lines = [];
let error;
try {
  const model = { folder: workers, to: undefined };
  const given = { options, threads: Number(threads), model, full: 2 };
  for await (const some of translateBatches(slow, batches, given))
    lines.push(...some.map((one) => JSON.stringify(one)));
} catch (caught) {
  error = String(caught);
}
translator.dispose();
console.log(JSON.stringify({ lines, here, error }));
