import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { runInThisContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withoutListeners } from "../../src/host/process-listeners.ts";
import { bundleForNode, scratchFolder } from "../support/bundle.ts";

const scratch = scratchFolder();
let program: string;

beforeAll(async () => {
  program = await bundleForNode(
    scratch.folder,
    `
    import "@/host/backend.ts";
    import { setBackend } from "@tensorflow/tfjs-core";
    await setBackend("heed");
    function whereTheUserFails() { throw new Error("of the user"); }
    if (process.argv[2] === "throw") whereTheUserFails();
    if (process.argv[2] === "reject") Promise.reject(new Error("of the user"));
    if (process.argv[2] === "count") console.log(["uncaughtException", "unhandledRejection"].map((e) => process.listenerCount(e)).join());
    `,
  );
}, 60_000);

afterAll(scratch.remove);

const run = (argument: string) =>
  promisify(execFile)(process.execPath, [program, argument]).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
      code,
      stdout,
      stderr,
    }),
  );

describe("A program on the heed backend", () => {
  it("leaves no listener on the process and nothing on the console", async () => {
    expect(await run("count")).toEqual({ code: 0, stdout: "0,0\n", stderr: "" });
  });

  it("exits with code 1 and its own stack when it throws", async () => {
    const { code, stderr } = await run("throw");
    expect(code).toBe(1);
    expect(stderr).toMatch(/Error: of the user\n\s+at whereTheUserFails/);
    expect(stderr).not.toContain("tfjs-backend-wasm");
  });

  it("exits with code 1 when it leaves a rejection unhandled", async () => {
    const { code, stderr } = await run("reject");
    expect(code).toBe(1);
    expect(stderr).toContain("Error: of the user");
    expect(stderr).not.toContain("tfjs-backend-wasm");
  });
});

// As the glue of TensorFlow.js 4.22 has them.
const onException = runInThisContext("(function(ex){if(!(ex instanceof ExitStatus)){throw ex}})");
const onRejection = runInThisContext("(function(reason){throw reason})");

describe("withoutListeners", () => {
  it("removes Emscripten's listeners and keeps everybody else's", async () => {
    const mine = () => {};
    const before =
      process.listeners("uncaughtException").length + process.listeners("unhandledRejection").length;
    await withoutListeners(async () => {
      process.on("uncaughtException", mine);
      process.on("uncaughtException", onException);
      process.on("unhandledRejection", onRejection);
    });
    const after = [...process.listeners("uncaughtException"), ...process.listeners("unhandledRejection")];
    expect(after.length).toBe(before + 1);
    expect(after).toContain(mine);
    process.removeListener("uncaughtException", mine);
  });

  it("removes them when the start fails, and passes the failure on", async () => {
    const before = process.listeners("unhandledRejection").length;
    const failing = withoutListeners(async () => {
      process.on("unhandledRejection", onRejection);
      throw new Error("no WebAssembly");
    });
    await expect(failing).rejects.toThrow("no WebAssembly");
    expect(process.listeners("unhandledRejection").length).toBe(before);
  });
});
