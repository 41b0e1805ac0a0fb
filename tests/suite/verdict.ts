/**
 * What a run of Redis's suite says about Bundis: every test that the yardstick passed must pass by name, except the names in
 * `exceptions.json`. A reason is `7.2` (Redis itself changed after the suite's version) or `later` (the test sends commands of a
 * type or feature that a later issue brings); there is no third.
 */
import type { Counts } from "../support/counts.ts";

/** Passed tests by unit and name; a name that a unit uses for several tests counts that often. */
export type PassedTests = Readonly<Record<string, Readonly<Record<string, number>>>>;

export const REASONS = ["7.2", "later"] as const;

export interface Exception {
  readonly unit: string;
  readonly test: string;
  readonly reason: (typeof REASONS)[number];
  /** What changed in 7.2, or the first words of the commands that a later issue brings. */
  readonly detail: string;
}

export interface Verdict {
  readonly counts: Counts;
  /** Names that must pass and did not, as `unit: name`. */
  readonly failures: readonly string[];
  /** Exceptions of the units that ran whose test passes. */
  readonly stale: readonly string[];
  /** How many excepted tests of the units that ran, by reason. */
  readonly excepted: ReadonlyMap<string, number>;
}

const label = (unit: string, test: string) => `${unit}: ${test}`;

/** Compares by name, over the given units. */
export function judge(
  units: readonly string[],
  yardstick: PassedTests,
  passed: PassedTests,
  exceptions: readonly Exception[],
): Verdict {
  const excused = new Map(exceptions.map((entry) => [label(entry.unit, entry.test), entry]));
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const failures: string[] = [];
  const stale: string[] = [];
  const excepted = new Map<string, number>(REASONS.map((reason) => [reason, 0]));
  for (const unit of units)
    for (const [test, expected] of Object.entries(yardstick[unit] ?? {})) {
      const got = Math.min(expected, passed[unit]?.[test] ?? 0);
      const exception = excused.get(label(unit, test));
      counts.passed += got;
      if (got === expected) {
        if (exception) stale.push(label(unit, test));
      } else if (exception) {
        counts.skipped += expected - got;
        excepted.set(exception.reason, excepted.get(exception.reason)! + expected - got);
      } else {
        counts.failed += expected - got;
        failures.push(label(unit, test));
      }
    }
  return { counts, failures, stale, excepted };
}

/** Entries that name no test of the yardstick, give no known reason or no detail, or stand twice. */
export function faultsOf(exceptions: readonly Exception[], yardstick: PassedTests): string[] {
  const faults: string[] = [];
  const seen = new Set<string>();
  for (const { unit, test, reason, detail } of exceptions) {
    const name = label(unit, test);
    if (yardstick[unit]?.[test] === undefined) faults.push(`${name}: not in the yardstick`);
    if (!REASONS.includes(reason)) faults.push(`${name}: ${reason} is no reason`);
    if (detail.trim() === "") faults.push(`${name}: no detail`);
    if (seen.has(name)) faults.push(`${name}: stands twice`);
    seen.add(name);
  }
  return faults;
}
