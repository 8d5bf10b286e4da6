#!/usr/bin/env node
import { EXIT } from "./io.ts";
import { run } from "./program.ts";

// A reader that leaves (`heed translate … | head -1`) has had enough: stop, and say nothing.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.ok);
  throw error;
});
// What is said on standard error is a courtesy: the run goes on where nobody listens.
process.stderr.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});
// No handler for SIGINT: one in JavaScript would wait for the end of a kernel, while the default ends the
// process at once, by the signal, which a shell reports as 130.
process.exitCode = await run(process.argv.slice(2), process);
