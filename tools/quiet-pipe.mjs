// Imported first by the tools that print lists and pages. A reader that leaves (`npm run prove -- --list | head`) has had
// enough: the tool stops and says nothing, as the command does (src/cli/main.ts). Without this, Node throws EPIPE.
//
// Only the pipe's own error is silenced; every other error of standard output still ends the tool with a stack. What is
// said on standard error is a courtesy: the run goes on where nobody listens.

const CLOSED = "EPIPE";

process.stdout.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
  if (error.code === CLOSED) process.exit(0);
  throw error;
});

process.stderr.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
  if (error.code !== CLOSED) throw error;
});

export {};
