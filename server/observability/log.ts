/**
 * Log lines, by default in Redis's format: `pid:role dd Mon yyyy hh:mm:ss.mmm level text`. The file stays open; `reopen` follows a
 * rotation. A line that cannot be written is dropped: logging never stops the server.
 */
import { closeSync, openSync, writeSync } from "node:fs";

export type LogLevel = "debug" | "verbose" | "notice" | "warning";
export type LogFormat = "legacy" | "logfmt" | "json";
export type LogTimestamp = "legacy" | "iso8601" | "milliseconds";

export interface LogOptions {
  /** Lines below it are dropped; "nothing" drops all. */
  level: LogLevel | "nothing";
  /** Absolute path; empty = stdout. */
  file: string;
  format?: LogFormat;
  timestamp?: LogTimestamp;
}

export interface Logger extends Record<LogLevel, (text: string) => void> {
  /** May change at any time. */
  readonly options: LogOptions;
  /** Closes the file and opens it by its name. @throws Error if that fails; lines then go to the old file */
  reopen(): void;
  close(): void;
}

const LEVELS: readonly (LogLevel | "nothing")[] = [
  "debug",
  "verbose",
  "notice",
  "warning",
  "nothing",
];
const MARKS: Record<LogLevel, string> = { debug: ".", verbose: "-", notice: "*", warning: "#" };
/** Names of the structured formats. */
const LEVEL_NAMES: Record<LogLevel, string> = {
  debug: "debug",
  verbose: "info",
  notice: "notice",
  warning: "warning",
};
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const STDOUT = 1;

function padded(value: number, digits = 2): string {
  return String(value).padStart(digits, "0");
}

function legacyTimestamp(at: Date): string {
  const day = `${padded(at.getDate())} ${MONTHS[at.getMonth()]} ${at.getFullYear()}`;
  const time = `${padded(at.getHours())}:${padded(at.getMinutes())}:${padded(at.getSeconds())}`;
  return `${day} ${time}.${padded(at.getMilliseconds(), 3)}`;
}

/** Local time with its offset from UTC. */
function isoTimestamp(at: Date): string {
  const offset = -at.getTimezoneOffset();
  const local = new Date(at.getTime() + offset * 60_000).toISOString().slice(0, -1);
  const minutes = Math.abs(offset);
  return `${local}${offset < 0 ? "-" : "+"}${padded(Math.floor(minutes / 60))}:${padded(minutes % 60)}`;
}

function timestampText(at: Date, format: LogTimestamp): string {
  switch (format) {
    case "legacy":
      return legacyTimestamp(at);
    case "iso8601":
      return isoTimestamp(at);
    case "milliseconds":
      return String(at.getTime());
  }
}

/** One line, with its line feed. */
export function formatLine(level: LogLevel, text: string, at: Date, options: LogOptions): string {
  const timestamp = timestampText(at, options.timestamp ?? "legacy");
  const { pid } = process;
  switch (options.format ?? "legacy") {
    case "legacy":
      return `${pid}:M ${timestamp} ${MARKS[level]} ${text}\n`;
    case "logfmt": {
      const message = text.replace(/["\\]/g, "\\$&").replace(/\n/g, "\\n").replace(/\r/g, "\\r");
      return `pid=${pid} role=primary timestamp="${timestamp}" level=${LEVEL_NAMES[level]} message="${message}"\n`;
    }
    case "json":
      return `${JSON.stringify({ pid, role: "primary", timestamp, level: LEVEL_NAMES[level], message: text })}\n`;
  }
}

/** Takes lines that are not written to a file. */
export type LogSink = (level: LogLevel, text: string) => void;

let isGuarded = false;

/** Leaves the line to Bun's stream, whose reader may be gone by then. */
function writeLater(line: string): void {
  if (!isGuarded) process.stdout.on("error", () => {});
  isGuarded = true;
  process.stdout.write(line);
}

/** @throws Error if the file cannot be opened */
export function createLogger(options: LogOptions, sink?: LogSink): Logger {
  let fd = options.file === "" ? STDOUT : openSync(options.file, "a");
  const close = () => {
    if (fd !== STDOUT) closeSync(fd);
    fd = STDOUT;
  };
  const write = (line: string) => {
    try {
      writeSync(fd, line);
    } catch (error) {
      // A pipe that its reader does not empty: the line waits in this process instead.
      if (fd === STDOUT && (error as { code?: string }).code === "EAGAIN") writeLater(line);
    }
  };
  const logAt = (level: LogLevel) => (text: string) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(options.level)) return;
    if (sink !== undefined) return sink(level, text);
    write(formatLine(level, text, new Date(), options));
  };
  return {
    options,
    debug: logAt("debug"),
    verbose: logAt("verbose"),
    notice: logAt("notice"),
    warning: logAt("warning"),
    reopen() {
      if (options.file === "") return;
      const opened = openSync(options.file, "a");
      close();
      fd = opened;
    },
    close,
  };
}
