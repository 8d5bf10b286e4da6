import { boundOf, type Claim, type Metrics } from "./claim.ts";

/** What was measured, by claim: proofs/measured.json. */
export type Measured = Readonly<Record<string, Metrics>>;

/** Columns that show one metric. */
const COLUMNS: Readonly<Record<string, string>> = {
  exact: "exact",
  "with the idiom": "idiom",
  alignment: "alignment",
  AER: "aer",
  "4 words": "shortest",
  "9 words": "longest",
  "12–14 words": "beyond",
};
/** Where a claim has more metrics than this, those without a threshold are left to measured.json. */
const MANY = 20;

/** The tables of docs/LEARNING.md, whose first column names a claim, with what was measured; all else stays. */
export function withMeasured(text: string, claims: readonly Claim[], measured: Measured): string {
  return text.replace(/^\| Claim .*\n(?:\|.*\n)+/gm, (table) => {
    const [header, , ...rows] = table.trimEnd().split("\n").map(cellsOf);
    const made = rows.map((row) => {
      const name = row[0]!.replaceAll("`", "");
      const claim = claims.find((one) => one.name === name);
      if (!claim) throw new Error(`prove: docs/LEARNING.md has a line for "${name}", which is no claim`);
      return header!.map((title) => cell(title, claim, measured[name] ?? {}));
    });
    return `${tableOf(header!, made)}\n`;
  });
}

const cellsOf = (line: string) =>
  line
    .split("|")
    .slice(1, -1)
    .map((text) => text.trim());

function cell(title: string, claim: Claim, metrics: Metrics): string {
  const shown = (metric: string) => {
    const bounds = claim.thresholds.filter((one) => one.metric === metric).map(boundOf);
    return `${formatted(metrics[metric]!)}${bounds.length > 0 ? ` (${bounds.join(", ")})` : ""}`;
  };
  if (title === "Claim") return `\`${claim.name}\``;
  if (title === "What it says") return claim.claim;
  const metric = COLUMNS[title];
  if (metric !== undefined) return metric in metrics ? shown(metric) : "";
  const names = Object.keys(metrics);
  const isJudged = (name: string) => claim.thresholds.some((one) => one.metric === name);
  const listed = names.length > MANY ? names.filter(isJudged) : names;
  return listed.map((name) => `${name} ${shown(name)}`).join(", ");
}

function tableOf(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, c) => Math.max(title.length, ...rows.map((row) => row[c]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((text, c) => text.padEnd(widths[c]!)).join(" | ")} |`;
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** A metric as a person reads it: three digits behind the point, fewer where it is large, a power where it is tiny. */
export function formatted(value: number): string {
  const size = Math.abs(value);
  if (size > 1 && Number.isInteger(value)) return String(value);
  if (size >= 10) return value.toFixed(1);
  if (size > 0 && size < 5e-4) return value.toExponential(0);
  return size > 0 && size < 5e-3 ? String(Number(value.toPrecision(2))) : value.toFixed(3);
}
