// Keys and values that no process has as a whole: each of four holds a shard of them and answers a query with the output
// over its own keys and their log-sum-exp; merged, that is attention over all of them. On machines in a cluster the
// messages are the same: T·(Dv + 1) numbers a head, however many keys there are. Run: node examples/20-sharded-attention.mjs
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { attention, init } from "heed/kernels";

// Queries are the last T of S tokens, and see no later one. The second example has 83 tokens, the third none.
const [B, H, Hkv, T, S, D] = [3, 6, 2, 5, 257, 16];
const keyLengths = [S, 83, 0];
const SHARDS = [97, 0, 129, 31];

/** Attention over the keys from `start` on: what a key's place is, the whole sequence says. */
const attendFrom = (start, q, k, v, keys) =>
  attention(
    q,
    k,
    v,
    { B, H, Hkv, T, S: keys, D },
    {
      causal: true,
      queryOffset: S - T - start,
      keyLengths: keyLengths.map((length) => Math.min(Math.max(length - start, 0), keys)),
    },
  );

/** A process that keeps its keys and values, and attends to them for whoever asks. */
async function serveShard() {
  const ready = init();
  let shard;
  process.on("message", async ({ keep, q }) => {
    if (keep) shard = keep;
    else {
      await ready;
      const { output, lse } = attendFrom(shard.start, q, shard.k, shard.v, shard.keys);
      process.send({ output, lse });
    }
  });
  await ready;
}

async function main() {
  // A shard needs the kernels alone.
  await import("heed/backend");
  const [tf, { mergeAttention }] = await Promise.all([import("@tensorflow/tfjs-core"), import("heed")]);
  await tf.setBackend("heed");
  await init();

  const numbers = (rows, seed) =>
    Float32Array.from({ length: rows * D }, (_, i) => 2 * Math.sin(seed + i * i));
  const [q, k, v] = [numbers(B * H * T, 1), numbers(B * Hkv * S, 2), numbers(B * Hkv * S, 3)];
  // What no query may see is not looked at, wherever it stands.
  for (let head = 0; head < B * Hkv; head++) {
    const [first, end] = [head * S + keyLengths[Math.floor(head / Hkv)], (head + 1) * S];
    for (const x of [k, v]) x.fill(Number.NaN, first * D, end * D);
  }

  let start = 0;
  const shards = SHARDS.map((keys) => {
    const part = (x) => rowsOf(x, start, keys);
    const keep = { start, keys, k: part(k), v: part(v) };
    const child = fork(fileURLToPath(import.meta.url), ["shard"], { serialization: "advanced" });
    child.send({ keep });
    start += keys;
    return child;
  });
  try {
    const parts = await Promise.all(shards.map((shard) => ask(shard, q)));
    const merged = mergeAttention(
      parts.map(({ output, lse }) => ({
        output: tf.tensor(output, [B, H, T, D]),
        lse: tf.tensor(lse, [B, H, T]),
      })),
    );
    const [output, lse] = [merged.output.dataSync(), merged.lse.dataSync()];
    const whole = attendFrom(0, q, k, v, S);
    console.log(`${shards.length} processes hold ${SHARDS.join(", ")} of ${S} keys`);
    console.log(`outputs as one process has them: ${largest(output, whole.output) <= 1e-5}`);
    console.log(`log-sum-exp too: ${largest(lse, whole.lse) <= 1e-5}`);
    const [none, bare] = [output.subarray(2 * H * T * D), lse.subarray(2 * H * T)];
    console.log(`without a key: ${[...new Set(none)]} and ${[...new Set(bare)]}`);
  } finally {
    for (const shard of shards) shard.disconnect();
  }
}

/** What a shard makes of a query. */
const ask = (shard, q) =>
  new Promise((resolve, reject) => {
    shard.once("message", resolve);
    shard.once("error", reject);
    shard.once("exit", (code) => reject(new Error(`a shard ended with ${code}`)));
    shard.send({ q });
  });

/** Rows of keys from `start` on, of every example and head of x [B, Hkv, S, D]. */
function rowsOf(x, start, keys) {
  const heads = Array.from({ length: B * Hkv }, (_, head) => (head * S + start) * D);
  return Float32Array.from(heads.flatMap((from) => [...x.subarray(from, from + keys * D)]));
}

/** The largest difference, of numbers that are not the same infinity. */
const largest = (a, b) => Math.max(...a.map((x, n) => (x === b[n] ? 0 : Math.abs(x - b[n]))));

if (process.argv[2] === "shard") await serveShard();
else await main();

// Prints:
// 4 processes hold 97, 0, 129, 31 of 257 keys
// outputs as one process has them: true
// log-sum-exp too: true
// without a key: 0 and -Infinity
