/** A bound that a figure must keep. */
export interface Bar {
  figure: string;
  atLeast?: number;
  atMost?: number;
}

/** Something heed says about learning, with the run that shows it. `heed prove` runs them. */
export interface Statement {
  /** `<task>/<variant>`, unique. */
  name: string;
  /** The row of docs/rows.json that it belongs to. */
  row: number;
  /** One sentence that the bars make exact. */
  statement: string;
  bars: readonly Bar[];
  /** Whether it belongs to the short selection of `heed prove --quick`. */
  quick: boolean;
  /** Figures by name, those of the bars among them; `onProgress` hears the share done, 0 … 1. */
  run(onProgress: (share: number) => void): Promise<Record<string, number>>;
}

/** Whether a figure keeps its bar; NaN keeps none. */
export function keeps(value: number | undefined, { atLeast = -Infinity, atMost = Infinity }: Bar): boolean {
  return value !== undefined && value >= atLeast && value <= atMost;
}
