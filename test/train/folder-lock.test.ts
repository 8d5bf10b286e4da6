import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkUnlocked, lockFolder } from "../../src/train/folder-lock.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "heed-lock-"));
  path = join(folder, ".lock");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const SINCE = "2026-11-30T08:00:00.000Z";
const leave = (owner: object) => writeFile(path, JSON.stringify({ since: SINCE, ...owner }));
const refusal = (got: string) =>
  expect.objectContaining({
    name: "FileError",
    code: "LOCKED",
    message:
      `train: one run at a time must write to ${folder}, got ${got}; wait for it, choose another folder, or remove ` +
      `${path} where it is gone`,
  });

describe("lockFolder", () => {
  it("says whose the folder is while it is held, and nothing afterwards", async () => {
    const release = await lockFolder("train", join(folder, "made"));
    const made = join(folder, "made", ".lock");
    expect(JSON.parse(await readFile(made, "utf8"))).toMatchObject({ pid: process.pid, host: hostname() });
    await release();
    expect(existsSync(made)).toBe(false);
  });

  it("names the other process, of this machine or of another", async () => {
    // The one that started this process lives as long as it waits for it.
    await leave({ pid: process.ppid, host: hostname() });
    await expect(lockFolder("train", folder)).rejects.toThrow(
      refusal(`process ${process.ppid}, since ${SINCE}`),
    );
    await leave({ pid: 7, host: "elsewhere" });
    await expect(lockFolder("train", folder)).rejects.toThrow(
      refusal(`process 7 on elsewhere, since ${SINCE}`),
    );
    expect(JSON.parse(await readFile(path, "utf8")).host).toBe("elsewhere");
  });

  it("knows a second run of the same process", async () => {
    const release = await lockFolder("train", folder);
    await expect(lockFolder("train", folder)).rejects.toThrow(/got this process, since /);
    await release();
    await (await lockFolder("train", folder))();
  });

  it("takes over what a dead process left, also one that had the number of this", async () => {
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    await leave({ pid, host: hostname() });
    await (await lockFolder("train", folder))();
    await leave({ pid: process.pid, host: hostname() });
    await (await lockFolder("train", folder))();
    expect(existsSync(path)).toBe(false);
  });

  it.each(["", "{}", '{"pid": "7", "host": "x"}', '{"pid": -1, "host": "x"}', "null"])(
    "does not guess whose a lock with %j is",
    async (text) => {
      await writeFile(path, text);
      await expect(lockFolder("train", folder)).rejects.toThrow(
        refusal("a lock that does not say whose it is"),
      );
    },
  );

  it("can be asked before work begins: it takes nothing, and clears what is stale", async () => {
    await checkUnlocked("train", join(folder, "none"));
    expect(existsSync(join(folder, "none"))).toBe(false);
    await leave({ pid: process.ppid, host: hostname() });
    await expect(checkUnlocked("train", folder)).rejects.toThrow(
      refusal(`process ${process.ppid}, since ${SINCE}`),
    );
    await leave({ pid: process.pid, host: hostname() });
    await checkUnlocked("train", folder);
    expect(existsSync(path)).toBe(false);
  });

  it("says why a folder cannot be written", async () => {
    await writeFile(path, "");
    await expect(lockFolder("train", join(path, "in"))).rejects.toThrow(
      `train: ${join(path, "in")} must be a folder that can be written, got a file where a folder should be; check its rights`,
    );
  });
});
