import { expect, test } from "vitest";
import type { Claim, Metrics, Threshold } from "../../proofs/claim.ts";
import { prove } from "../../proofs/prove.ts";

async function run(...args: string[]) {
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
