/** A run as text: what was measured, who was absent and why, and each bar beside its figure. */
import { CASES, flops, QUICK_CASES } from "./attention/cases.mjs";
import { BARS, judge, needText } from "./bars.mjs";

/** @import { Run } from "./bars.mjs" */
/** @import { CaseResult, Timing } from "./run.mjs" */
/** @typedef {Run & { date: string, machine: Record<string, any>, versions: Record<string, string>, absent: Record<string, string>, othersLoad: number, busy: boolean, again?: string[] }} FullRun `again`: cases of a later run */

/** @returns {string} `0.412 ms` */
const milliseconds = (/** @type {number} */ seconds) =>
  `${(seconds * 1e3).toFixed(seconds < 0.1 ? 3 : 0).padStart(9)} ms`;

function timingLine(
  /** @type {Run} */ { peak },
  /** @type {CaseResult} */ { name, timings },
  /** @type {Timing} */ timing,
) {
  const c = [...CASES, ...QUICK_CASES].find((each) => each.name === name);
  const own = timings.find(({ contender }) => contender.startsWith("heed"))?.best;
  const times = own ? `${(timing.best / own).toFixed(2).padStart(8)} ×` : "";
  const rate = c ? flops(c) / timing.best / 1e9 : 0;
  const speed = c ? `${rate.toFixed(1).padStart(7)} GF/s` : "";
  const share = c && peak ? `${((100 * rate) / peak).toFixed(0).padStart(4)} %` : "";
  const start = `  ${timing.contender.padEnd(28)}${milliseconds(timing.best)}${milliseconds(timing.median)}`;
  return `${start}${times}${speed}${share}  ${timing.route}`;
}

/** The lines of a run. */
export function table(/** @type {FullRun} */ run) {
  const { machine, versions } = run;
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const lines = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node ${machine.node.slice(1)}`,
    names.join(", "),
    ...(run.busy
      ? [
          `BUSY MACHINE: other processes used ${run.othersLoad.toFixed(1)} cores; two-thread figures mean little`,
        ]
      : []),
    ...(run.peak ? [`peak of multiply-adds in WebAssembly, one thread: ${run.peak.toFixed(1)} GF/s`] : []),
    "Best and median of rounds that take turns; × is the time over heed's; GF/s count 4·T·S·D flops a head",
    "forward and 10·T·S·D backward, for all of T × S whatever a mask leaves out; % of the peak of one thread.",
  ];
  for (const result of run.results) {
    lines.push("", result.name, ...result.timings.map((timing) => timingLine(run, result, timing)));
    for (const [id, reason] of Object.entries(result.refused)) lines.push(`  ${id.padEnd(28)}${reason}`);
  }
  lines.push("", ...Object.entries(run.absent).map(([id, reason]) => `absent: ${id}: ${reason}`), "");
  for (const bar of BARS.filter(({ suite }) => suite === run.suite)) {
    const { verdict, text } = judge(bar, run);
    lines.push(`${verdict.padEnd(13)}${bar.name}: ${text} (${needText(bar)})`);
  }
  return lines.join("\n");
}
