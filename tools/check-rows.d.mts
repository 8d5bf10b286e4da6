export interface Row {
  row: number;
  name: string;
  /** What must hold. */
  statement: string;
  /** Files and folders that do it. */
  files: string[];
  /** At most three, as `<file>: <words of the titles>`. */
  tests: string[];
  /** What is still to come, with the subject of the step that brings it first. */
  missing?: string;
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
export function checkRowsFiles(root: string, reportFile: string): Checked & { rows: number; missing: number };
