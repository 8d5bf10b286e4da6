import { test } from "vitest";
import { fileBytes } from "../../../src/checkpoints/file-bytes.ts";
import { openCheckpoint } from "../../../src/checkpoints/index.ts";
test("p", async () => {
 for (const n of ["a.weights.h5","a.keras"]) {
  const t=performance.now();
  const f=await openCheckpoint(await fileBytes("/tmp/keras/m/"+n));
  console.log(performance.now()-t, f.tensors.size, f.metadata.keys(), [...f.tensors].slice(0,4));
  console.log((await f.read("layers/dense/vars/0")).slice(0,5));
  await f.close();
 }
});
