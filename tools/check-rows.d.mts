export interface RowTest {
  file: string;
  title: string;
  needs?: "data" | "browser";
}

export interface Row {
  row: number;
  name: string;
  files: string[];
  tests: RowTest[];
  note?: string;
}

export interface Report {
  testResults: { name: string; assertionResults: { title: string; fullName: string; status: string }[] }[];
}

export type Lacks = (need: "data" | "browser") => boolean;

export function checkRows(
  plan: { rows: Row[] },
  report: Report,
  machine: { root: string; lacks: Lacks },
): string[];
export function machineLacks(root: string, env: NodeJS.ProcessEnv): Lacks;
export function checkRowsFiles(root: string, reportFile: string): { rows: number; problems: string[] };
