/** Log lines in Redis's format: `pid:role dd Mon yyyy hh:mm:ss.mmm level text`. */
import { appendFileSync } from "node:fs";

export type LogLevel = "debug" | "verbose" | "notice" | "warning";
export type Logger = Record<LogLevel, (text: string) => void>;

const LEVELS: readonly LogLevel[] = ["debug", "verbose", "notice", "warning"];
const MARKS: Record<LogLevel, string> = { debug: ".", verbose: "-", notice: "*", warning: "#" };
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function timestamp(at: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${two(at.getDate())} ${MONTHS[at.getMonth()]} ${at.getFullYear()}`;
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return `${day} ${time}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

/** Lines below `level` are dropped ("nothing" drops all). They go to stdout, or to `file`, opened for each line. */
export function createLogger(options: { level: string; file: string }): Logger {
  const at = LEVELS.indexOf(options.level as LogLevel);
  const threshold = at < 0 ? LEVELS.length : at;
  const write = (line: string) => {
    if (options.file === "") process.stdout.write(line);
    else appendFileSync(options.file, line);
  };
  const logAt = (level: LogLevel, rank: number) => (text: string) => {
    if (rank < threshold) return;
    write(`${process.pid}:M ${timestamp(new Date())} ${MARKS[level]} ${text}\n`);
  };
  return {
    debug: logAt("debug", 0),
    verbose: logAt("verbose", 1),
    notice: logAt("notice", 2),
    warning: logAt("warning", 3),
  };
}
