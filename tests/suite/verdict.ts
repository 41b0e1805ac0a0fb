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
  /** `7.2`: what changed. `later`: the commands that the test sends and a later issue brings, comma-separated. */
  readonly detail: string;
  /** How the commands bear on the test, where it does not send them itself. */
  readonly note?: string;
  /** The test runs nevertheless, because others of its unit build on what it does. */
  readonly keep?: true;
}

export interface Verdict {
  readonly counts: Counts;
  /** Names that must pass and did not, as `unit: name`. */
  readonly failures: readonly string[];
  /** How many excepted tests of the units that ran, by reason. */
  readonly excepted: ReadonlyMap<string, number>;
}

const label = (unit: string, test: string) => `${unit}: ${test}`;

/** Compares by name, over the given units. Excepted tests count as skipped whether they ran or not. */
export function judge(
  units: readonly string[],
  yardstick: PassedTests,
  passed: PassedTests,
  exceptions: readonly Exception[],
): Verdict {
  const excused = new Map(exceptions.map((entry) => [label(entry.unit, entry.test), entry]));
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const failures: string[] = [];
  const excepted = new Map<string, number>(REASONS.map((reason) => [reason, 0]));
  for (const unit of units)
    for (const [test, expected] of Object.entries(yardstick[unit] ?? {})) {
      const exception = excused.get(label(unit, test));
      if (exception) {
        counts.skipped += expected;
        excepted.set(exception.reason, excepted.get(exception.reason)! + expected);
        continue;
      }
      const got = Math.min(expected, passed[unit]?.[test] ?? 0);
      counts.passed += got;
      if (got === expected) continue;
      counts.failed += expected - got;
      failures.push(label(unit, test));
    }
  return { counts, failures, excepted };
}

/** Exceptions whose test passes all the same. */
export function staleOf(
  exceptions: readonly Exception[],
  yardstick: PassedTests,
  passed: PassedTests,
): string[] {
  return exceptions
    .filter(({ unit, test }) => (passed[unit]?.[test] ?? 0) >= yardstick[unit]![test]!)
    .map(({ unit, test }) => label(unit, test));
}

/** Exceptions of reason `later` whose commands are all there by now: they are to be looked at. */
export function overdueOf(
  exceptions: readonly Exception[],
  planned: ReadonlySet<string>,
): string[] {
  return exceptions
    .filter(
      ({ reason, detail }) =>
        reason === "later" && !detail.split(", ").some((name) => planned.has(name)),
    )
    .map(({ unit, test, detail }) => `${label(unit, test)} (${detail})`);
}

/** Entries that name no test of the yardstick, give no known reason or no detail, stand twice, or wait for no command. */
export function faultsOf(
  exceptions: readonly Exception[],
  yardstick: PassedTests,
  commands: ReadonlySet<string>,
): string[] {
  const faults: string[] = [];
  const seen = new Set<string>();
  for (const { unit, test, reason, detail } of exceptions) {
    const name = label(unit, test);
    if (yardstick[unit]?.[test] === undefined) faults.push(`${name}: not in the yardstick`);
    if (!REASONS.includes(reason)) faults.push(`${name}: ${reason} is no reason`);
    if (detail.trim() === "") faults.push(`${name}: no detail`);
    if (seen.has(name)) faults.push(`${name}: stands twice`);
    seen.add(name);
    if (reason === "later")
      for (const command of detail.split(", "))
        if (!commands.has(command)) faults.push(`${name}: ${command} is no command`);
  }
  return faults;
}
