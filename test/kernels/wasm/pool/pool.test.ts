import { execFileSync } from "node:child_process";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { AttentionShapes, HostArray } from "../../../../src/core/notation.ts";
import { compileProgram, type ProgramOptions } from "../../../../src/core/program.ts";
import { attention, attentionBackward } from "../../../../src/kernels/attention.ts";
import { init, shutdown } from "../../../../src/kernels/init.ts";
import { AttentionEngine } from "../../../../src/kernels/wasm/attention/engine.ts";
import { PoolSpace } from "../../../../src/kernels/wasm/pool/pool.ts";
import { allowRelaxedSimd } from "../../../../src/kernels/wasm/relaxed.ts";
import { type Arrays, floats, holes, makeCase, normal, runFused } from "../../cases.ts";

const dying = new URL("./dying-worker.mjs", import.meta.url);
const broken = new URL("./broken-worker.mjs", import.meta.url);
const silent = new URL("./silent-worker.mjs", import.meta.url);

const pools: PoolSpace[] = [];
async function startPool(...args: Parameters<typeof PoolSpace.start>): Promise<PoolSpace> {
  const pool = await PoolSpace.start(...args);
  pools.push(pool);
  return pool;
}

/** The arrays that are not the same bit for bit. */
function differing(some: Arrays, all: Arrays): string[] {
  const bytes = (x: ArrayLike<number>) => Buffer.from((x as Float32Array).buffer);
  return Object.keys(some).filter((name) => !bytes(some[name]!).equals(bytes(all[name]!)));
}

beforeAll(allowRelaxedSimd);
afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.close())));

describe("Attention on threads", () => {
  const engines: AttentionEngine[] = [];
  const own: PoolSpace[] = [];
  beforeAll(async () => {
    engines.push(new AttentionEngine("relaxed"));
    // More threads than cores too, and small work handed out like large.
    for (const threads of [2, 3]) {
      const pool = await PoolSpace.start("relaxed", threads, { leastFlops: 0 });
      own.push(pool);
      engines.push(new AttentionEngine(pool, PoolSpace.FREE));
    }
  });
  afterAll(() => Promise.all(own.map((pool) => pool.close())));

  it.each<[string, AttentionShapes, ProgramOptions<HostArray>]>([
    ["one head, whose keys are cut in parts", { B: 1, T: 211, S: 997, H: 1, Hkv: 1, D: 17, Dv: 5 }, {}],
    [
      "shared heads, causality and padding",
      { B: 3, T: 97, S: 131, H: 6, Hkv: 2, D: 13, Dv: 7 },
      { causal: "bottomRight", keyLengths: [131, 0, 59], queryLengths: [97, 31, 0] },
    ],
    [
      "a bias and a mask in stripes, dropout and sinks",
      { B: 2, T: 301, S: 1301, H: 2, Hkv: 1, D: 5, Dv: 3 },
      {
        bias: floats(3, [2, 1, 301, 1301]),
        allow: holes(4, [301, 1301], true),
        sink: floats(5, [2]),
        dropout: { rate: 0.2, seed: 6 },
        training: true,
      },
    ],
    [
      "a bias for each query, which every part of the keys adds to",
      { B: 1, T: 53, S: 997, H: 2, Hkv: 2, D: 3, Dv: 2 },
      { bias: floats(7, [1, 2, 53, 1]), softCap: 2 },
    ],
    [
      "a bias that all queries share, with a mask in stripes",
      { B: 1, T: 97, S: 16411, H: 2, Hkv: 2, D: 2, Dv: 1 },
      { bias: floats(8, [1, 16411]), allow: holes(9, [97, 16411]) },
    ],
    ["a query against a cache", { B: 2, T: 1, S: 1009, H: 4, Hkv: 2, D: 11, Dv: 13 }, {}],
  ])("gives the same bits on 1, 2 and 3 threads: %s", (_, shapes, options) => {
    const one = makeCase(shapes, options, 7);
    const [serial, ...threaded] = engines.map((engine) => runFused(engine, one));
    for (const results of threaded) expect(differing(results, serial!)).toEqual([]);
  });
});

describe("A pool", () => {
  it("hands a call to every thread, each with scratch of its own", async () => {
    const pool = await startPool("relaxed", 3, { leastFlops: 0 });
    const engine = new AttentionEngine(pool, PoolSpace.FREE);
    const shapes = { B: 1, T: 480, S: 4800, H: 1, Hkv: 1, D: 64, Dv: 64 };
    const one = makeCase(shapes, {}, 3);
    // Scratch that two threads shared would show here.
    const serial = runFused(new AttentionEngine("relaxed"), one);
    for (let n = 0; n < 5; n++) {
      expect(differing({ output: engine.forward(one.program, one).output }, serial)).toEqual([]);
    }
  });

  it("puts no more heads to work at once than memory is meant for", async () => {
    const pool = await startPool("relaxed", 2);
    const engine = new AttentionEngine(pool, PoolSpace.FREE);
    const shapes = { B: 101, T: 1024, S: 1024, H: 1, Hkv: 1, D: 1, Dv: 1 };
    // Each head at work holds 4 MiB of the bias.
    const program = compileProgram("attention", shapes, { bias: floats(1, [1024, 1024]) });
    const [q, k, v] = [3, 4, 5].map((seed) => normal(seed, 101 * 1024));
    engine.forward(program, { q: q!, k: k!, v: v! });
    expect(pool.memory.buffer.byteLength).toBeLessThan(220 * 2 ** 20);
  });

  it("runs more calls than its table holds", async () => {
    const pool = await startPool("relaxed", 2, { leastFlops: 0 });
    const address = PoolSpace.FREE;
    pool.memory.grow(1);
    const n = 6000;
    // add(a, b, out, rows, cols, …): one number at a time, each from a place of its own.
    const view = () => new Float32Array(pool.memory.buffer, address, 2 * n);
    view().set(Array.from({ length: n }, (_, i) => i));
    const calls = Array.from({ length: n }, (_, i) => {
      const at = address + 4 * i;
      return [at, at, at + 4 * n, 1, 1, 0, 1, 0, 1];
    });
    pool.run("add", calls, 1);
    expect(Array.from(view().subarray(n))).toEqual(Array.from({ length: n }, (_, i) => 2 * i));
  });

  it("says that a kernel trapped, and works on", async () => {
    const pool = await startPool("relaxed", 2, { leastFlops: 0 });
    const beyond = pool.memory.buffer.byteLength;
    const bad = [beyond, beyond, beyond, 1, 64, 0, 1, 0, 1];
    expect(() => pool.run("add", [bad, bad, bad], 1)).toThrow(
      "add: every call must end, got a trap in 3 of 3; this is a fault of heed, please report it",
    );
    const at = PoolSpace.FREE;
    const good = [at, at, at, 1, 1, 0, 1, 0, 1];
    expect(() => pool.run("add", [good, good], 1)).not.toThrow();
  });

  it("gives an error, not a hang, when a worker dies with its part, and is not used again", async () => {
    const pool = await startPool("relaxed", 2, { leastFlops: 0, stallMs: 200, worker: dying });
    const engine = new AttentionEngine(pool, PoolSpace.FREE);
    const one = makeCase({ B: 1, T: 960, S: 960, H: 1, Hkv: 1, D: 64, Dv: 64 }, {}, 3);
    const run = () => {
      for (let n = 0; n < 50; n++) engine.forward(one.program, one);
    };
    expect(run).toThrow(
      "attentionForward: every worker thread must finish its part, got nothing from one for 0 s, so its result is lost; " +
        "call again, which runs on one thread, or await init({ threads }) for new workers",
    );
    expect(pool.lost).toBe(true);
  });

  it("goes on alone when its workers have ended between calls", async () => {
    const pool = await startPool("relaxed", 2, { leastFlops: 0 });
    const engine = new AttentionEngine(pool, PoolSpace.FREE);
    const one = makeCase({ B: 1, T: 97, S: 101, H: 2, Hkv: 2, D: 8, Dv: 8 }, {}, 3);
    const before = engine.forward(one.program, one).output;
    await pool.close();
    expect(engine.forward(one.program, one).output).toEqual(before);
  });

  it("that cannot start its workers says why", async () => {
    await expect(PoolSpace.start("relaxed", 4, { worker: broken })).rejects.toThrow(
      'init: every worker thread must start, got "no such luck"; use threads: 1 where there can be no workers',
    );
  });
});

it("A pool gives up a worker that never becomes ready", async () => {
  const began = performance.now();
  await expect(PoolSpace.start("relaxed", 3, { worker: silent, readyMs: 200 })).rejects.toThrow(
    'init: every worker thread must start, got "not ready after 0.2 s"; use threads: 1 where there can be no workers',
  );
  // Far from the 30 s that it would wait otherwise.
  expect(performance.now() - began).toBeLessThan(20_000);
});

describe("init", () => {
  afterEach(async () => {
    vi.restoreAllMocks();
    await shutdown();
  });
  const sizes = { B: 1, H: 2, T: 331, S: 331, D: 32 };
  const x = normal(1, 2 * 331 * 32);

  it("starts threads, changes their number, and leaves them alone when asked for nothing new", async () => {
    expect(await init({ threads: 2 })).toEqual({ build: "relaxed", threads: 2 });
    const start = vi.spyOn(PoolSpace, "start");
    expect(await init()).toEqual({ build: "relaxed", threads: 2 });
    expect(await init({ threads: 2 })).toEqual({ build: "relaxed", threads: 2 });
    expect(start).not.toHaveBeenCalled();
    const { output, saved } = attention(x, x, x, sizes);
    const { dk } = attentionBackward(x, saved);
    expect(await init({ threads: 1, build: "plain" })).toEqual({ build: "plain", threads: 1 });
    expect(await init({ threads: 1, build: "relaxed" })).toEqual({ build: "relaxed", threads: 1 });
    const serial = attention(x, x, x, sizes);
    expect(serial.output).toEqual(output);
    expect(attentionBackward(x, serial.saved).dk).toEqual(dk);
  });

  it("keeps calls that are too small to share away from the threads' memory, with the same bits", async () => {
    const small = { B: 1, H: 8, T: 32, S: 32, D: 16 };
    const [q, dout] = [normal(1, 8 * 32 * 16), normal(2, 8 * 32 * 16)];
    const calls = () => {
      const { output, saved } = attention(q, q, q, small);
      return { output, ...attentionBackward(dout, saved) };
    };
    await init({ threads: 1 });
    const alone = calls();
    await init({ threads: 2 });
    const run = vi.spyOn(PoolSpace.prototype, "run");
    expect(calls()).toEqual(alone);
    expect(run).not.toHaveBeenCalled();
    attention(x, x, x, sizes);
    expect(run).toHaveBeenCalled();
  });

  it("two calls at once start one set of workers", async () => {
    const start = vi.spyOn(PoolSpace, "start");
    await Promise.all([init({ threads: 2 }), init({ threads: 2 })]);
    expect(start).toHaveBeenCalledTimes(1);
  });

  it.each([65, 200, 2 ** 31])("refuses %s threads, more than any machine gains by", async (threads) => {
    await expect(init({ threads })).rejects.toThrow(
      `init: threads must be at most 64, got ${threads}; pass as many as the machine has cores, or leave it out`,
    );
  });

  it.each([0, 1.5, Number.NaN])("refuses %s threads", async (threads) => {
    await expect(init({ threads })).rejects.toThrow(
      `init: threads must be an integer ≥ 1, got ${threads}; pass as many as the machine has cores, or leave it out`,
    );
  });

  it("after a worker's death calls run on one thread, until init starts new workers", async () => {
    const { start } = PoolSpace;
    vi.spyOn(PoolSpace, "start").mockImplementation((build, threads) =>
      start(build, threads, { stallMs: 200, worker: dying }),
    );
    await init({ threads: 2 });
    const large = { B: 1, H: 4, T: 480, S: 480, D: 64 };
    const y = normal(2, 4 * 480 * 64);
    expect(() => {
      for (let n = 0; n < 50; n++) attention(y, y, y, large);
    }).toThrow(/got nothing from one for/);
    const alone = attention(y, y, y, large).output;
    vi.restoreAllMocks();
    expect(await init({ threads: 2 })).toEqual({ build: "relaxed", threads: 2 });
    expect(attention(y, y, y, large).output).toEqual(alone);
  });

  it("threads do not keep a program from ending", () => {
    const program =
      'import { init } from "heed/kernels"; console.log(JSON.stringify(await init({ threads: 2 })));';
    const out = execFileSync(process.execPath, ["--input-type=module", "--eval", program], {
      encoding: "utf8",
      timeout: 30_000,
    });
    expect(JSON.parse(out)).toEqual({ build: "relaxed", threads: 2 });
  });
});
