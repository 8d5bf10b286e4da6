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

export interface Checked {
  problems: string[];
  /** Tests that this machine cannot run, for want of the data sets or a browser. */
  notRun: string[];
}

export function checkRows(
  plan: { rows: Row[] },
  report: Report,
  machine: { root: string; ci: boolean },
): Checked;
export function checkRowsFiles(root: string, reportFile: string): Checked & { rows: number };
