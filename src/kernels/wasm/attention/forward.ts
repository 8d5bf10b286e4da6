import { OptionError } from "../../../core/errors.ts";
import { emptyRow } from "../../../core/faults.ts";
import { sinkOf } from "../../../core/program-rows.ts";
import { HeadsCall, headFlops, isManyHeads } from "./heads.ts";
import { type Call, type HeadGroup, type LogSumExp, Pass, roundUp, viewsOf, type Workspace } from "./pass.ts";
import type { EmptyRow } from "./uniform.ts";

/**
 * The output (operand `out`) and log-sum-exp of a call, whose arrays are written by `layout.queries.index`.
 * Returns the rows that see no key, where the program gives them weights.
 *
 * @throws OptionError EMPTY_ROW · MemoryError · WorkerError
 */
export function forwardPass(workspace: Workspace, call: Call, lse: LogSumExp): EmptyRow[] {
  const { program, layout, io } = call;
  const { T, S, D, Dv } = program.shapes;
  if (isManyHeads(workspace, call, headFlops(program, 2 * (D + Dv)), true)) {
    return forwardHeads(workspace, call, lse);
  }
  const { kernels, memory } = workspace.space;
  const pass = new Pass(workspace, call, {
    operands: ["q", "k", "v", "out"],
    scratchBytes: kernels.attentionScratchBytes!(D, Dv),
    packed: (arena) => ({
      ...{ lse: arena.floats(T), lseLow: arena.floats(T) },
      keyPanels: arena.floats(roundUp(S, 24) * D),
      valueStrips: arena.floats(S * roundUp(Dv, 8)),
      rowFlags: arena.take(S),
      empty: program.onEmptyRow === "zero" ? 0 : arena.take(T),
    }),
  });
  const emptyRows: EmptyRow[] = [];
  const { high, low } = viewsOf(lse);

  const store = ({ own, b, h, T: valid }: HeadGroup<{ lse: number; lseLow: number; empty: number }>) => {
    const first = layout.queries.index(b, h, 0);
    high.set(new Float32Array(memory.buffer, own.lse, valid), first);
    low.set(new Float32Array(memory.buffer, own.lseLow, valid), first);
    if (own.empty) {
      collectEmptyRows(call, { b, h }, new Uint8Array(memory.buffer, own.empty, valid), emptyRows);
    }
    if (valid === T || layout.queries.starts) return;
    // A padded query sees nothing but the sink.
    high.fill(sinkOf(program, h), first + valid, first + T);
    low.fill(0, first + valid, first + T);
    pass.clearRows(io.address("out", b, h), layout.queries.step(Dv), Dv, valid, T);
  };

  pass.run({
    keysReady: (batch) => pass.each("attentionKeys", batch, (group) => 4 * group.S * (D + Dv)),
    headReady: (batch) => {
      pass.eachStripe(batch, (groups, i0, end) =>
        pass.eachQueries("attentionForward", groups, [i0, end], 2 * (D + Dv)),
      );
      for (const group of batch) store(group);
    },
  });
  return emptyRows;
}

function forwardHeads(workspace: Workspace, call: Call, lse: LogSumExp): EmptyRow[] {
  const { program, layout } = call;
  const { B, H, T, D, Dv } = program.shapes;
  const rows = layout.queries.rows(B);
  const heads = new HeadsCall(workspace, call, {
    kernel: "attentionHeads",
    operands: ["q", "k", "v", "out"],
    perPair: 2 * (D + Dv),
    lse,
  });
  heads.run();
  const { buffer } = workspace.space.memory;
  if (!lse.placed) {
    lse.high().set(new Float32Array(buffer, heads.lse, rows));
    lse.low().set(new Float32Array(buffer, heads.lseLow, rows));
  }
  const emptyRows: EmptyRow[] = [];
  for (let n = 0; heads.empty && n < B * H; n++) {
    const flags = new Uint8Array(buffer, heads.empty + n * T, T);
    collectEmptyRows(call, { b: Math.floor(n / H), h: n % H }, flags, emptyRows);
  }
  return emptyRows;
}

function collectEmptyRows(
  { program: { op, onEmptyRow } }: Call,
  { b, h }: { b: number; h: number },
  flags: Uint8Array,
  rows: EmptyRow[],
): void {
  for (let i = flags.indexOf(1); i >= 0; i = flags.indexOf(1, i + 1)) {
    if (onEmptyRow === "error") throw new OptionError("EMPTY_ROW", emptyRow({ op, b, h, i }));
    rows.push({ b, h, i });
  }
}
