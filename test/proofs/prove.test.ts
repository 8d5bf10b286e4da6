import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { type Claim, type Metrics, missingImages, type Threshold } from "../../proofs/claim.ts";
import { descend, prepare } from "../../proofs/descend.ts";
import { prove } from "../../proofs/prove.ts";

const run = (...args: string[]) => runOf([], ...args);

async function runOf(more: Claim[], ...args: string[]) {
  const ran: string[] = [];
  const fake = (name: string, metrics: Metrics, thresholds: Threshold[], quick = false): Claim => ({
    name,
    claim: `${name} is learnt.`,
    thresholds,
    quick,
    async measure(onProgress) {
      ran.push(name);
      onProgress(0.5);
      return metrics;
    },
  });
  const said = { out: "", err: "", progress: "" };
  let measured: Record<string, Metrics> = { "reversal/dot": { exact: 0.5 } };
  const code = await prove(args, {
    claims: [
      fake("swap/dot", { exact: 0.9876, aer: 0.02 }, [{ metric: "exact", atLeast: 0.95 }], true),
      fake("swap/general", { exact: 0.5, aer: 1e-9, idiom: Number.NaN }, [
        { metric: "exact", atLeast: 0.95 },
        { metric: "aer", atMost: 0.1 },
      ]),
      fake("reversal/dot", { exact: 1 }, []),
      ...more,
    ],
    print: (text) => {
      said.out += text.replace(/ \d+ s$/gm, " 0 s");
    },
    complain: (text) => {
      said.err += text;
    },
    progress: (text) => {
      said.progress += `[${text}]`;
    },
    measured: {
      read: () => measured,
      write: (next) => {
        measured = next;
      },
    },
  });
  return { code, ran, measured, ...said };
}

test("each claim is a line with its metrics and thresholds; one that fails makes exit code 1", async () => {
  expect(await run()).toMatchObject({
    code: 1,
    out: [
      "ok     swap/dot      exact 0.988 (≥ 0.95), aer 0.020  0 s",
      "FAIL   swap/general  exact 0.500 (≥ 0.95), aer 1e-9 (≤ 0.1), idiom NaN  0 s",
      "shown  reversal/dot  exact 1.000  0 s",
      "1 of 2 claims hold, 1 shown without a threshold\n",
    ].join("\n"),
    err: "",
  });
});

test("names choose claims, whole or by what stands before the slash", async () => {
  expect(await run("swap/dot", "reversal")).toMatchObject({ code: 0, ran: ["swap/dot", "reversal/dot"] });
  expect((await run("swap")).ran).toEqual(["swap/dot", "swap/general"]);
});

test("--quick measures the short ones only, and says when there is none", async () => {
  expect(await run("--quick")).toMatchObject({ ran: ["swap/dot"], code: 0 });
  expect(await run("--quick", "reversal")).toMatchObject({
    code: 2,
    ran: [],
    err: "prove: none of reversal is a short one; leave --quick out\n",
  });
});

test("what has no threshold is shown, and does not count as held", async () => {
  expect((await run("reversal")).out).toBe(
    "shown  reversal/dot  exact 1.000  0 s\n1 shown without a threshold\n",
  );
  expect(JSON.parse((await run("reversal", "--json")).out)).toMatchObject({ ok: null, thresholds: [] });
});

test("--list says what is claimed and measures nothing", async () => {
  expect(await run("--list", "swap")).toMatchObject({
    code: 0,
    ran: [],
    out: "swap/dot      swap/dot is learnt.\nswap/general  swap/general is learnt.\n",
  });
});

test("--json writes one object a line, with the exact metrics", async () => {
  const { code, out } = await run("--json", "swap");
  expect(code).toBe(1);
  const lines = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.map(({ name, ok, metrics }) => ({ name, ok, metrics }))).toEqual([
    { name: "swap/dot", ok: true, metrics: { exact: 0.9876, aer: 0.02 } },
    { name: "swap/general", ok: false, metrics: { exact: 0.5, aer: 1e-9, idiom: null } },
  ]);
  expect(lines[0]).toMatchObject({ thresholds: [{ metric: "exact", atLeast: 0.95 }] });
  expect(lines[0].seconds).toBeGreaterThanOrEqual(0);
});

test("--write keeps what is measured, beside what was measured before and without NaN; without it nothing is kept", async () => {
  expect((await run("swap", "--write")).measured).toEqual({
    "reversal/dot": { exact: 0.5 },
    "swap/dot": { exact: 0.9876, aer: 0.02 },
    "swap/general": { exact: 0.5, aer: 1e-9 },
  });
  expect((await run("reversal")).measured).toEqual({ "reversal/dot": { exact: 0.5 } });
});

/** A claim of two models, of which the first counts, trained for so many steps. */
const trained = (steps: number): Claim => ({
  name: "trained/model",
  claim: "It learns.",
  thresholds: [{ metric: "loss", atMost: 1 }],
  quick: false,
  async measure() {
    await prepare();
    const loss = await lossAfter(3, steps);
    return { loss, baseline: await lossAfter(5, steps) };
  },
});

async function lossAfter(size: number, steps: number): Promise<number> {
  const w = tf.tidy(() => tf.variable(tf.ones([size])));
  let last = 0;
  const loss = () => tf.sum<tf.Scalar>(tf.square(w));
  try {
    await descend({ w }, loss, { steps, learningRate: 0.1, onStep: (_, value) => (last = value) });
    return last;
  } finally {
    w.dispose();
  }
}

test("a claim that trains says what a step of its first model costs", async () => {
  const { code, measured } = await runOf([trained(60)], "trained", "--write");
  expect(code).toBe(0);
  const { loss, baseline: _, ...cost } = measured["trained/model"]!;
  expect(loss).toBeLessThan(1);
  expect(cost).toEqual({ parameters: 3, stepSeconds: expect.any(Number), kernelShare: expect.any(Number) });
});

test("--cost ends a claim where that is known, and keeps what was measured before", async () => {
  const before = tf.memory().numTensors;
  const asked = await runOf([trained(1e9)], "trained", "swap", "--cost", "--write");
  expect(tf.memory().numTensors).toBe(before);
  expect(asked.out).toMatch(/^shown {2}trained\/model {2}parameters 3, stepSeconds .*\n1 shown/);
  expect(asked.code).toBe(0);
  expect(Object.keys(asked.measured["trained/model"]!)).toEqual(["parameters", "stepSeconds", "kernelShare"]);
  expect(asked.measured["reversal/dot"]).toEqual({ exact: 0.5 });
  expect(asked.measured["swap/dot"]).toBeUndefined();
});

test("a claim whose data are not there is skipped with the reason, and nothing of it is kept", async () => {
  const missing = { ...trained(1), missing: () => "no digits were fetched" };
  const skipped = await runOf([missing], "trained", "swap/dot", "--write");
  expect(skipped).toMatchObject({ code: 0 });
  expect(skipped.out).toContain(
    "skip   trained/model  no digits were fetched\n1 of 1 claims hold, 1 skipped\n",
  );
  expect(Object.keys(skipped.measured)).not.toContain("trained/model");
  const [line] = (await runOf([missing], "trained", "--json")).out.trim().split("\n");
  expect(JSON.parse(line!)).toMatchObject({ ok: null, skipped: "no digits were fetched", metrics: {} });
});

test("images that are not there are said in one line", () => {
  expect(missingImages("no-such-images")).toMatch(/^locateDataset: /);
});

test("a name or a flag that does not exist is one line and exit code 2, before anything runs", async () => {
  expect(await run("swap/dot", "swop")).toMatchObject({
    code: 2,
    ran: [],
    out: "",
    err: 'prove: no claim is called "swop"; npm run prove -- --list prints them\n',
  });
  expect(await run("--fast")).toMatchObject({ code: 2, ran: [], out: "" });
});

test("a person who watches sees how far a claim is, and the line goes when it is done", async () => {
  expect((await run("swap/dot")).progress).toBe("[swap/dot  50 %][]");
});
