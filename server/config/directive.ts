/** What a row of the table of directives is, and the words that rows are written with. */
import {
  bytesIn,
  integerIn,
  type Kind,
  octalIn,
  oneOf,
  someOf,
  type TextRules,
  textOf,
  yesNo,
} from "./kinds.ts";

export interface Directive<Value = unknown> {
  readonly kind: Kind<Value>;
  /** The default, as one would write it. */
  readonly initial: string;
  /** Another name of Redis's for the same value. */
  readonly alias?: string;
  /** Set at start only. */
  readonly atStart?: true;
  /** CONFIG SET needs enable-protected-configs. */
  readonly guarded?: true;
  /** CONFIG GET shows it for its exact name only. */
  readonly hidden?: true;
  /** Not shown in SLOWLOG, MONITOR and log lines. */
  readonly secret?: true;
  /** What it does; or, if it is accepted without effect, why. */
  readonly about: string;
  readonly hasEffect: boolean;
}

/** A row before it is told what it is for. */
export type Row<Value> = Omit<Directive<Value>, "about" | "hasEffect">;

export function works<R extends Row<unknown>>(about: string, row: R) {
  return { ...row, about, hasEffect: true };
}

/** Accepted and shown, so that files and clients of Redis work, without effect. */
export function ignored<R extends Row<unknown>>(why: string, row: R) {
  return { ...row, about: why, hasEffect: false };
}

export function atStart<R extends Row<unknown>>(row: R) {
  return { ...row, atStart: true as const };
}

export function guarded<R extends Row<unknown>>(row: R) {
  return { ...row, guarded: true as const };
}

export function hidden<R extends Row<unknown>>(row: R) {
  return { ...row, hidden: true as const };
}

export function secret<R extends Row<unknown>>(row: R) {
  return { ...row, secret: true as const };
}

export function alias<R extends Row<unknown>>(name: string, row: R) {
  return { ...row, alias: name };
}

export function of<Value>(kind: Kind<Value>, initial: string): Row<Value> {
  return { kind, initial };
}

export const INT_MAX = 2147483647;
export const UINT_MAX = 4294967295;
export const LONG_MAX = 9223372036854775807n;
export const ULONG_MAX = 18446744073709551615n;

export function flag(initial: "yes" | "no"): Row<boolean> {
  return of(yesNo, initial);
}

export function integer(initial: number, min: number, max: number | bigint): Row<number> {
  return of(integerIn({ min, max }), String(initial));
}

export function octal(initial: number, min: number, max: number): Row<number> {
  return of(octalIn({ min, max }), initial.toString(8));
}

export function bytes(initial: string, min: number, max: number | bigint): Row<number> {
  return of(bytesIn({ min, max }), initial);
}

export function text(initial: string, rules: TextRules = {}): Row<string> {
  return of(textOf(rules), initial);
}

/** A text whose absence is its default. */
export function optionalText(rules: TextRules = {}): Row<string> {
  return of(textOf({ ...rules, emptyIsNone: true }), "");
}

export function choice<const Value extends string>(
  initial: Value,
  values: readonly Value[],
  spellings: Readonly<Record<string, Value>> = {},
): Row<Value> {
  return of(oneOf(values, spellings), initial);
}

export function choices<const Value extends string>(
  values: readonly Value[],
  check: (chosen: ReadonlySet<Value>) => string | undefined,
): Row<ReadonlySet<Value>> {
  return of(someOf(values, check), values[0]!);
}
