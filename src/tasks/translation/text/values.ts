/**
 * What a protected span says, free of the language it is written in: `render` writes it in each (see render.ts), and two
 * spans are the same thing when their `valueKey` is the same.
 */
import type { Kind } from "./placeholders.ts";

/** A decimal number as it was written: `digits` is "1234.56", `grouped` says that thousands were set apart. */
export interface Decimal {
  readonly digits: string;
  readonly grouped: boolean;
}

/** A word for 10³ and its powers after a price: "$3 billion". */
export type Scale = "thousand" | "million" | "billion" | "trillion";

export type Value =
  | { readonly type: "number"; readonly number: Decimal }
  | { readonly type: "ordinal"; readonly number: number }
  | { readonly type: "measure"; readonly number: Decimal; readonly unit: string }
  | { readonly type: "price"; readonly number: Decimal; readonly currency: string; readonly scale?: Scale }
  /** `half` is what a.m. and p.m. say; without, the hour is as it stands. */
  | {
      readonly type: "time";
      readonly hour: number;
      readonly minute?: number;
      readonly half?: "am" | "pm";
    }
  | {
      readonly type: "date";
      readonly day: number;
      /** 1 to 12. */
      readonly month: number;
      readonly year?: number;
      /** 0 is Monday. */
      readonly weekday?: number;
      /** Written in figures only, "12/25/2026". */
      readonly figures?: boolean;
    }
  /** Copied, unless the language has a name of its own for it. */
  | { readonly type: "text"; readonly text: string };

/** A piece of a text that is protected. Offsets are those of JavaScript's strings. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly kind: Kind;
  readonly value: Value;
  /** Why a reader should look at it: an ambiguous date, a word that the model has not seen. */
  readonly flag?: "ambiguous date" | "unknown word";
}

/** The decimal of plain digits. */
export function decimal(number: number | string): Decimal {
  return { digits: String(number), grouped: false };
}

/** "1234.50" and "1234.5" are one number, and "007" and "7". */
function canonical({ digits }: Decimal): string {
  const [whole = "", part = ""] = digits.split(".");
  const tail = part.replace(/0+$/, "");
  return `${whole.replace(/^([-+]?)0+(?=\d)/, "$1")}${tail && `.${tail}`}`;
}

/** Hours and minutes on a clock's face: half past two is 2:30 and 14:30. */
function face({ hour, minute = 0 }: { hour: number; minute?: number }): string {
  return `${hour % 12}:${minute}`;
}

/** Equal exactly for spans that say the same; a year is a number, whatever stands before it. */
export function valueKey(value: Value): string {
  switch (value.type) {
    case "number":
      return `n${canonical(value.number)}`;
    case "ordinal":
      return `o${value.number}`;
    case "measure":
      return `m${canonical(value.number)}${value.unit}`;
    case "price":
      return `p${canonical(value.number)}${value.currency}${value.scale ?? ""}`;
    case "time":
      return `t${face(value)}`;
    case "date":
      return `d${value.day}.${value.month}.${value.year ?? ""}.${value.weekday ?? ""}`;
    case "text":
      return `x${value.text}`;
  }
}
