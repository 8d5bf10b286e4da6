import { refuse } from "./refuse.ts";

/** Refuses an option value outside `allowed`, naming every choice. */
export function oneOf<T extends string | number>(
  op: string,
  option: string,
  value: T,
  allowed: readonly T[],
): T {
  if (allowed.includes(value)) return value;
  const shown = (choice: T) => JSON.stringify(choice);
  return refuse(op, option, `one of ${allowed.map(shown).join(", ")}`, shown(value), "pick one of these");
}

export function positiveInteger(op: string, option: string, value: number): number {
  if (Number.isInteger(value) && value > 0) return value;
  return refuse(op, option, "a whole number of at least 1", String(value), "pass such a number");
}

/** The words on a heat map, by default those of the article this figure comes from. */
export interface Words {
  /** @default "Attention Weights"; empty = none */
  readonly title?: string;
  /** @default "Input Sequence"; empty = none */
  readonly xTitle?: string;
  /** @default "Output Sequence"; empty = none */
  readonly yTitle?: string;
}

export function withDefaultWords({ title, xTitle, yTitle }: Words): Required<Words> {
  return {
    title: title ?? "Attention Weights",
    xTitle: xTitle ?? "Input Sequence",
    yTitle: yTitle ?? "Output Sequence",
  };
}
