/** LATENCY DOCTOR: what the latency monitor saw, in words, and what may help. */
import { figuresOf, type LatencyEvent, type LatencyMonitor } from "./latency.ts";

interface Situation {
  monitor: LatencyMonitor;
  /** slowlog-log-slower-than, in microseconds. */
  slowerThanUs: number;
  nowMs: number;
}

const SLOWLOG_OFF = (ms: number) =>
  `The slow log is off. CONFIG SET slowlog-log-slower-than ${ms * 1000} makes it name the commands behind these events.`;
const SLOWLOG_COARSE = (ms: number) =>
  `The slow log only names commands slower than the monitor's threshold. CONFIG SET slowlog-log-slower-than ${ms * 1000} brings the two together.`;
const SLOWLOG_READ = "SLOWLOG GET names the commands that took long.";
const LARGE_VALUES =
  "Commands on very large values take as long as the values are large. Several smaller values are served sooner.";
const SCHEDULER =
  "Commands that are short by nature took long: the process did not get its processor. See what else runs on the machine, and on its host; `redis-cli --intrinsic-latency 100` shows what the machine does without a server.";
const DISK =
  "Writes to the append-only file waited for the disk. Other writers on the same disk, disks over a network and journalling in mode ordered all add to that.";
const SYNC_ALWAYS =
  "With appendfsync always every turn of the event loop waits for the disk. appendfsync everysec gives up one second of writes for not waiting.";
const MANY_DUE =
  "Many keys were due at once. Deadlines that differ by a few seconds spread the work.";
const EVICTION =
  "Eviction had much to do at once: after maxmemory was lowered, or for a very large command.";

function adviceFor(event: string, { monitor, slowerThanUs }: Situation): string[] {
  const { thresholdMs } = monitor;
  switch (event as LatencyEvent) {
    case "command": {
      const tuning =
        slowerThanUs < 0
          ? [SLOWLOG_OFF(thresholdMs)]
          : slowerThanUs / 1000 > thresholdMs
            ? [SLOWLOG_COARSE(thresholdMs)]
            : [];
      return [...tuning, SLOWLOG_READ, LARGE_VALUES];
    }
    case "fast-command":
      return [SCHEDULER];
    case "aof-write-alone":
    case "aof-write-pending-fsync":
      return [DISK];
    case "aof-fsync-always":
      return [SYNC_ALWAYS, DISK];
    case "expire-cycle":
      return [MANY_DUE];
    case "eviction-cycle":
      return [EVICTION];
    default:
      return [];
  }
}

export function latencyReport(situation: Situation): string {
  const { monitor, nowMs } = situation;
  const events = monitor.all();
  if (events.length === 0)
    return monitor.thresholdMs === 0
      ? "The latency monitor is off. CONFIG SET latency-monitor-threshold <milliseconds> turns it on.\n"
      : "Nothing took as long as the latency monitor's threshold so far.\n";
  const lines = events.map(([event, series], index) => {
    const { count, meanMs, deviationMs, periodSeconds } = figuresOf(
      series,
      Math.floor(nowMs / 1000),
    );
    return (
      `${index + 1}. ${event}: ${count} latency spikes (average ${meanMs}ms, mean deviation ${deviationMs}ms, ` +
      `period ${(periodSeconds / count).toFixed(2)} sec). Worst all time event ${series.worstMs}ms.\n`
    );
  });
  const advice = new Set(events.flatMap(([event]) => adviceFor(event, situation)));
  const advised = [...advice].map((line) => `- ${line}\n`).join("");
  return `Latency spikes were seen:\n\n${lines.join("")}${advised === "" ? "" : `\nWhat may help:\n\n${advised}`}`;
}
