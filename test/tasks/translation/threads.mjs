// Trains one tiny model with as many threads as asked for, from the built package: worker threads load no TypeScript.
import { runTranslation } from "../../../build/tasks/translation/run.js";

const [dataDir, recipe, threads] = process.argv.slice(2);
await runTranslation({
  recipe: JSON.parse(recipe),
  dataDir,
  runDir: `${dataDir}/threads-${threads}/run`,
  outDir: `${dataDir}/threads-${threads}/model`,
  command: "heed train translation",
  threads: Number(threads),
});
