/** What is told when an assertion failed or the core trapped: facts for whoever has to find out why. Nothing is saved after it. */
import { StateField } from "../core-wasm/abi.ts";
import type { Config } from "./config/config.ts";
import type { Core } from "./core/core.ts";
import { REDIS_VERSION, VERSION } from "./version.ts";

export interface CrashFacts {
  error: unknown;
  core: Core;
  config: Config;
  /** Name of the command that ran, if one did. */
  lastCommand: string | undefined;
  clients: number;
  uptimeMs: number;
}

/** A figure of a memory that may be broken. */
function read(figure: () => string | number): string {
  try {
    return String(figure());
  } catch (error) {
    return `not readable (${(error as Error).message})`;
  }
}

function errorLines(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.stack ?? `${error.name}: ${error.message}`;
}

/** Several lines. */
export function crashReport(facts: CrashFacts): string {
  const { core, config } = facts;
  const settings = [...config.settings()].map(([name, value]) => `  ${name} ${value}`);
  return [
    "",
    "=== BUNDIS BUG REPORT START: please send everything up to its end ===",
    `Bundis ${VERSION} (Redis ${REDIS_VERSION}), Bun ${Bun.version} on ${process.platform} ${process.arch}, pid ${process.pid}`,
    `crashed by ${facts.error instanceof Error ? `${facts.error.name}: ${facts.error.message}` : facts.error}`,
    `last command: ${facts.lastCommand ?? "none"}`,
    `core: fatal code ${read(() => core.field(StateField.FatalCode))}, detail ${read(() => core.field(StateField.FatalDetail))}`,
    `used memory ${read(() => core.usedBytes())}, heap pages ${read(() => core.field(StateField.HeapPagesUsed))}, clients ${facts.clients}, up ${Math.round(facts.uptimeMs / 1000)} s`,
    "",
    "------ STACK TRACE ------",
    errorLines(facts.error),
    "",
    "------ CONFIGURATION ------",
    `digest ${config.digest()}; what is not the default:`,
    ...settings,
    "",
    "=== BUNDIS BUG REPORT END ===",
    "Memory is not trusted any more: nothing is written to the append only file. Restart from disk.",
    "",
  ].join("\n");
}
