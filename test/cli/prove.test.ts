import { expect, test, vi } from "vitest";
import { run } from "../../src/cli/program.ts";
import type { Bar, Statement } from "../../src/tasks/statement.ts";
import { fakeIo } from "./fake-io.ts";

const RAN: string[] = [];

function fake(name: string, figures: Record<string, number>, bars: Bar[], quick = false): Statement {
  return {
    name,
    row: 53,
    statement: `${name} is learnt.`,
    bars,
    quick,
    async run(onProgress) {
      RAN.push(name);
      onProgress(0.5);
      return figures;
    },
  };
}

vi.mock("../../src/tasks/statements.ts", () => ({
  STATEMENTS: [
    fake("swap/dot", { exact: 0.9876, aer: 0.02 }, [{ figure: "exact", atLeast: 0.95 }], true),
    fake("swap/general", { exact: 0.5, aer: 0.02 }, [
      { figure: "exact", atLeast: 0.95 },
      { figure: "aer", atMost: 0.1 },
    ]),
    fake("reversal/dot", { exact: 1 }, []),
  ],
}));

async function prove(args: string[], terminal = false) {
  RAN.length = 0;
  const io = fakeIo({ terminal });
  Object.assign(io.stderr, { isTTY: terminal });
  const code = await run(["prove", ...args], io);
  return { code, out: io.out().replace(/ \d+ s$/gm, " 0 s"), err: io.err() };
}

test("each statement is a line with its figures and bars; a missed bar makes exit code 1", async () => {
  expect(await prove([])).toEqual({
    code: 1,
    out: [
      "ok      swap/dot      exact 0.988 (≥ 0.95), aer 0.020  0 s",
      "MISSED  swap/general  exact 0.500 (≥ 0.95), aer 0.020 (≤ 0.1)  0 s",
      "shown   reversal/dot  exact 1.000  0 s",
      "1 of 2 statements hold, 1 shown without a bar\n",
    ].join("\n"),
    err: "",
  });
});

test("names choose statements, whole or by what stands before the slash", async () => {
  expect((await prove(["swap/dot", "reversal"])).code).toBe(0);
  expect(RAN).toEqual(["swap/dot", "reversal/dot"]);
  await prove(["swap"]);
  expect(RAN).toEqual(["swap/dot", "swap/general"]);
});

test("--quick runs the short selection only", async () => {
  expect((await prove(["--quick"])).out).toContain("1 of 1 statements hold\n");
  expect(RAN).toEqual(["swap/dot"]);
});

test("what has no bar is shown, and does not count as held", async () => {
  expect((await prove(["reversal"])).out).toBe(
    "shown   reversal/dot  exact 1.000  0 s\n1 shown without a bar\n",
  );
  expect(JSON.parse((await prove(["reversal", "--json"])).out)).toMatchObject({ ok: null, bars: [] });
});

test("--quick with names that have no short statement is refused", async () => {
  for (const list of [[], ["--list"]]) {
    expect(await prove(["reversal", "--quick", ...list])).toEqual({
      code: 2,
      out: "",
      err:
        'heed prove: --quick must be used with a statement of the short selection, got "reversal"; leave it out, ' +
        "or take one of heed prove --quick --list\n",
    });
  }
  expect(RAN).toEqual([]);
});

test("--list says what there is and runs nothing", async () => {
  const { code, out } = await prove(["--list", "swap"]);
  expect({ code, out }).toEqual({
    code: 0,
    out: "swap/dot      row 53  swap/dot is learnt.\nswap/general  row 53  swap/general is learnt.\n",
  });
  expect(RAN).toEqual([]);
});

test("--json writes one object a line, with the exact figures", async () => {
  const { code, out } = await prove(["--json", "swap"]);
  expect(code).toBe(1);
  const lines = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.map(({ name, ok, figures }) => ({ name, ok, figures }))).toEqual([
    { name: "swap/dot", ok: true, figures: { exact: 0.9876, aer: 0.02 } },
    { name: "swap/general", ok: false, figures: { exact: 0.5, aer: 0.02 } },
  ]);
  expect(lines[0]).toMatchObject({ row: 53, bars: [{ figure: "exact", atLeast: 0.95 }] });
  expect(lines[0].seconds).toBeGreaterThanOrEqual(0);
});

test("a name that does not exist is one line and exit code 2, before anything runs", async () => {
  expect(await prove(["swap/dot", "swop"])).toEqual({
    code: 2,
    out: "",
    err:
      'heed prove: each name must be that of a statement, or what stands before its slash, got "swop"; ' +
      "heed prove --list shows them\n",
  });
  expect(RAN).toEqual([]);
});

test("a terminal sees how far a statement is, and the line goes when it is done", async () => {
  expect((await prove(["swap/dot"], true)).err).toBe("\r\u001b[Kswap/dot  50 %\r\u001b[K");
});
