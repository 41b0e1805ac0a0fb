/**
 * What INFO tells of commands and errors: calls, time, refusals and failures by command, error replies by code. Calls come in runs
 * (the dispatcher reads the clock when the command changes), so that counting costs the hot path nothing.
 */
import { LatencyHistogram } from "./histogram.ts";

/** Codes told apart; with more, somebody makes them up. */
export const ERROR_CODES_MAX = 128;
const DISABLED_CODE = "ERRORSTATS_DISABLED";
/** An error's code ends at its first blank, which must be among these bytes. */
const CODE_BYTES_MAX = 31;

export type Fields = Record<string, string | number>;

/** The code of an error line without its `-`. */
export function errorCode(line: string): string {
  const end = line.slice(0, CODE_BYTES_MAX).indexOf(" ");
  return end < 0 ? "ERR" : line.slice(0, end);
}

/** What breaks INFO's lines is replaced, as in Redis. */
function infoName(name: string): string {
  return name.replace(/[#:\n\r]/g, "_");
}

export class CommandStats {
  readonly calls: Float64Array;
  readonly microseconds: Float64Array;
  readonly rejected: Float64Array;
  readonly failed: Float64Array;
  private readonly histograms: (LatencyHistogram | undefined)[] = [];
  private readonly codes = new Map<string, number>();
  /** Set once too many codes were met, until the next reset. */
  private codesDisabled = false;
  /** Calls of all commands. */
  processed = 0;
  /** Error replies of all kinds. */
  errorReplies = 0;
  /** The last error's line. */
  lastError = "";
  /** latency-tracking. */
  tracksLatency = true;

  /** @param names full names by index: "config|get"; `onDisabled` is told the codes that were met when counting by code ends */
  constructor(
    readonly names: readonly string[],
    private readonly onDisabled: (codes: readonly string[]) => void = () => {},
  ) {
    this.calls = new Float64Array(names.length);
    this.microseconds = new Float64Array(names.length);
    this.rejected = new Float64Array(names.length);
    this.failed = new Float64Array(names.length);
  }

  /** `calls` calls of one command in a row, which took `microseconds` together. */
  run(index: number, calls: number, microseconds: number): void {
    this.processed += calls;
    this.calls[index]! += calls;
    this.microseconds[index]! += microseconds;
    if (!this.tracksLatency) return;
    let histogram = this.histograms[index];
    if (histogram === undefined) {
      histogram = new LatencyHistogram();
      this.histograms[index] = histogram;
    }
    histogram.record((microseconds * 1000) / calls, calls);
  }

  /** An error reply: its line without the `-`. */
  error(line: string): void {
    this.errorReplies++;
    this.lastError = line;
    if (this.codesDisabled) return;
    const code = errorCode(line);
    const count = this.codes.get(code);
    if (count !== undefined || this.codes.size < ERROR_CODES_MAX) {
      this.codes.set(code, (count ?? 0) + 1);
      return;
    }
    this.codesDisabled = true;
    this.onDisabled([...this.codes.keys()].sort());
    this.codes.clear();
    this.codes.set(DISABLED_CODE, 1);
  }

  histogram(index: number): LatencyHistogram | undefined {
    return this.histograms[index];
  }

  reset(): void {
    this.calls.fill(0);
    this.microseconds.fill(0);
    this.rejected.fill(0);
    this.failed.fill(0);
    this.histograms.length = 0;
    this.codes.clear();
    this.codesDisabled = false;
    this.processed = 0;
    this.errorReplies = 0;
  }

  /** Lines of INFO commandstats. */
  commandFields(): Fields {
    const fields: Fields = {};
    for (const [index, name] of this.names.entries()) {
      const calls = this.calls[index]!;
      const rejected = this.rejected[index]!;
      const failed = this.failed[index]!;
      if (calls + rejected + failed === 0) continue;
      const usec = Math.floor(this.microseconds[index]!);
      const each = calls === 0 ? 0 : this.microseconds[index]! / calls;
      fields[`cmdstat_${infoName(name)}`] =
        `calls=${calls},usec=${usec},usec_per_call=${each.toFixed(2)},` +
        `rejected_calls=${rejected},failed_calls=${failed}`;
    }
    return fields;
  }

  /** Lines of INFO errorstats. */
  errorFields(): Fields {
    const fields: Fields = {};
    for (const code of [...this.codes.keys()].sort())
      fields[`errorstat_${infoName(code)}`] = `count=${this.codes.get(code)}`;
    return fields;
  }

  /** Lines of INFO latencystats; `percentiles` as configured. */
  latencyFields(percentiles: readonly number[]): Fields {
    const fields: Fields = {};
    if (!this.tracksLatency) return fields;
    for (const [index, histogram] of this.histograms.entries())
      if (histogram !== undefined)
        fields[`latency_percentiles_usec_${infoName(this.names[index]!)}`] = percentiles
          .map((percent) => `p${percent}=${(histogram.percentile(percent) / 1000).toFixed(3)}`)
          .join(",");
    return fields;
  }
}
