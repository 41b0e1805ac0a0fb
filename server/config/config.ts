/** The values of all directives: parsed from flags, environment and file, changed by CONFIG SET. */
import { readFileSync } from "node:fs";
import {
  DIRECTIVES,
  type Directive,
  type DirectiveName,
  type DirectiveValue,
} from "./directives.ts";
import { compileGlob } from "./glob.ts";
import { MEMORY_PATTERN, memoryBytes, splitLine } from "./syntax.ts";

/** A start that cannot go on; the message is what Redis prints. */
export class ConfigError extends Error {}

type Value = number | boolean | string | readonly string[];

export function isDirective(name: string): name is DirectiveName {
  return Object.hasOwn(DIRECTIVES, name);
}

/** @returns the value, or the reason it is refused */
function parseValue(directive: Directive, text: string): { value: Value } | { refused: string } {
  switch (directive.type) {
    case "boolean":
      if (/^(yes|no)$/i.test(text)) return { value: text.toLowerCase() === "yes" };
      return { refused: "argument must be 'yes' or 'no'" };
    case "enum": {
      const value = text.toLowerCase();
      if (directive.values?.includes(value)) return { value };
      const known = directive.values?.join(", ");
      return { refused: `argument(s) must be one of the following: ${known}` };
    }
    case "integer":
      if (!/^-?\d+$/.test(text)) return { refused: "argument couldn't be parsed into an integer" };
      return inRange(directive, Number(text));
    case "memory":
      if (!MEMORY_PATTERN.test(text)) return { refused: "argument must be a memory value" };
      return inRange(directive, memoryBytes(text));
    case "words":
      return { value: text.split(/\s+/).filter((word) => word !== "") };
    default:
      return { value: text };
  }
}

function inRange(directive: Directive, value: number): { value: Value } | { refused: string } {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = directive;
  if (value >= min && value <= max) return { value };
  return { refused: `argument must be between ${min} and ${max} inclusive` };
}

function showValue(value: Value): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return Array.isArray(value) ? value.join(" ") : String(value);
}

export class Config {
  private readonly values = new Map<DirectiveName, Value>();
  private readonly listeners = new Map<DirectiveName, (() => void)[]>();

  constructor() {
    for (const name of Object.keys(DIRECTIVES) as DirectiveName[]) {
      const parsed = parseValue(DIRECTIVES[name], DIRECTIVES[name].initial);
      if ("refused" in parsed) throw new Error(`default of ${name}: ${parsed.refused}`);
      this.values.set(name, parsed.value);
    }
  }

  get<Name extends DirectiveName>(name: Name): DirectiveValue<Name> {
    return this.values.get(name) as DirectiveValue<Name>;
  }

  /** Sets all pairs or none. @returns the error line of CONFIG SET, or undefined */
  set(pairs: readonly (readonly [string, string])[], atRuntime: boolean): string | undefined {
    const parsed = new Map<DirectiveName, Value>();
    for (const [given, text] of pairs) {
      const name = given.toLowerCase();
      if (!isDirective(name))
        return `ERR Unknown option or number of arguments for CONFIG SET - '${given}'`;
      const failed = (why: string) =>
        `ERR CONFIG SET failed (possibly related to argument '${name}') - ${why}`;
      if (parsed.has(name)) return failed("duplicate parameter");
      if (atRuntime && (DIRECTIVES[name] as Directive).immutable)
        return failed("can't set immutable config");
      const result = parseValue(DIRECTIVES[name], text);
      if ("refused" in result) return failed(result.refused);
      parsed.set(name, result.value);
    }
    for (const [name, value] of parsed) this.values.set(name, value);
    for (const name of parsed.keys()) for (const apply of this.listeners.get(name) ?? []) apply();
    return undefined;
  }

  /** Names and shown values that match any of the globs, each once. */
  match(patterns: readonly string[]): [string, string][] {
    const globs = patterns.map((pattern) => compileGlob(pattern.toLowerCase()));
    return [...this.values]
      .filter(([name]) => globs.some((glob) => glob.test(name)))
      .map(([name, value]) => [name, showValue(value)]);
  }

  /** Calls `apply` after each successful set of the directive. */
  onChange(name: DirectiveName, apply: () => void): void {
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), apply]);
  }
}

function fatal(where: string, line: string, why: string): ConfigError {
  return new ConfigError(
    `\n*** FATAL CONFIG FILE ERROR (Redis 7.2.4) ***\nReading the configuration file, at ${where}\n>>> '${line}'\n${why}`,
  );
}

function applyLine(config: Config, words: readonly string[], where: string): void {
  const [name = "", ...values] = words;
  const line = words.join(" ");
  if (!isDirective(name.toLowerCase()) || (values.length === 0 && name.toLowerCase() !== "save"))
    throw fatal(where, line, "Bad directive or wrong number of arguments");
  const refused = config.set([[name, values.join(" ")]], false);
  if (refused !== undefined) throw fatal(where, line, refused.replace(/^.* - /, ""));
}

function applyFile(config: Config, path: string): void {
  let text: string;
  try {
    text = readFileSync(path === "-" ? 0 : path, "utf8");
  } catch (error) {
    throw new ConfigError(
      `Fatal error, can't open config file '${path}': ${(error as Error).message}`,
    );
  }
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const words = splitLine(line);
    const where = `line ${index + 1}`;
    if (words === undefined) throw fatal(where, line, "Unbalanced quotes in configuration line");
    if (words[0]?.toLowerCase() === "include") applyFile(config, words[1] ?? "");
    else applyLine(config, words, where);
  }
}

function applyFlags(config: Config, args: readonly string[]): void {
  let at = 0;
  while (at < args.length) {
    const name = args[at]!;
    if (!name.startsWith("--"))
      throw fatal("the command line", name, "Bad directive or wrong number of arguments");
    let end = at + 1;
    while (end < args.length && !args[end]!.startsWith("--")) end++;
    applyLine(config, [name.slice(2), ...args.slice(at + 1, end)], `the command line`);
    at = end;
  }
}

function applyEnvironment(config: Config, env: Record<string, string | undefined>): void {
  for (const name of Object.keys(DIRECTIVES)) {
    const value = env[`BUNDIS_${name.toUpperCase().replaceAll("-", "_")}`];
    if (value !== undefined) applyLine(config, [name, value], `the environment`);
  }
}

/**
 * [conf file | -] [--directive value ...], over `env`, over the file, over `defaults`.
 * @throws ConfigError
 */
export function parseCommandLine(
  args: readonly string[],
  defaults: Record<string, string> = {},
  env: Record<string, string | undefined> = {},
): Config {
  const config = new Config();
  for (const [name, value] of Object.entries(defaults))
    applyLine(config, [name, value], "defaults");
  const hasFile = args[0] !== undefined && (args[0] === "-" || !args[0].startsWith("--"));
  if (hasFile) applyFile(config, args[0]!);
  applyEnvironment(config, env);
  applyFlags(config, hasFile ? args.slice(1) : args);
  return config;
}
