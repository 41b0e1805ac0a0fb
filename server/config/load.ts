/**
 * The sources of a configuration: a file, standard input, the environment, flags. What comes later wins; lines that add up
 * (save, rename-command) add up over all of them, as in Redis.
 */
import { globSync, mkdirSync, readFileSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { Config, findDirective } from "./config.ts";
import { DIRECTIVES } from "./directives.ts";
import { systemErrorText } from "./rules.ts";
import { byteString, quoted, splitWords, unicode } from "./syntax.ts";

/** A start that cannot go on; the message is the whole of what is told. */
export class ConfigError extends Error {}

export interface LoadOptions {
  env?: Record<string, string | undefined>;
  /** Values of directives that nothing else sets. */
  defaults?: Record<string, string>;
  /** Told in fatal errors. */
  version?: string;
  /** Names that `rename-command` may rename; all are taken if none are given. */
  commandNames?: readonly string[];
  /** Reads standard input, for `-`. */
  readStdin?: () => string;
}

/** Directives of old versions that a file may still have. */
const DEPRECATED = ["list-max-ziplist-entries", "list-max-ziplist-value", "lua-replicate-commands"];

interface Source {
  config: Config;
  version: string;
  /** Names of commands after the renames so far. */
  commandNames: Set<string> | undefined;
  /** Real paths of the files being read, outermost first. */
  readonly open: readonly string[];
}

function fatal(source: Source, where: string, line: string | undefined, why: string): ConfigError {
  const shown = line === undefined ? "" : `${where}\n>>> '${unicode(line)}'\n`;
  return new ConfigError(
    `\n*** FATAL CONFIG FILE ERROR (${source.version}) ***\n${shown}${unicode(why)}`,
  );
}

/** @returns why the words are not a directive, or undefined when they are in force */
function applyWords(source: Source, words: readonly string[]): string | undefined {
  const name = words[0]!.toLowerCase();
  const rest = words.slice(1);
  const named = findDirective(name);
  if (named !== undefined) return source.config.load(named, rest);
  if (DEPRECATED.includes(name) && rest.length === 1) return undefined;
  if (name === "include" && rest.length === 1) return include(source, unicode(rest[0]!));
  if (name === "rename-command" && rest.length === 2)
    return renameCommand(source, rest[0]!, rest[1]!);
  if (name === "user" && rest.length >= 1) return userFault(source.config, rest);
  if (name === "loadmodule" && rest.length >= 1)
    return `Can't load module from ${rest[0]}: modules are not supported`;
  if (name.includes("."))
    return rest.length === 0
      ? "Module config specified without value"
      : "Module Configuration detected, and modules are not supported";
  if (name === "sentinel" && rest.length > 0)
    return "sentinel directive while not in sentinel mode";
  return "Bad directive or wrong number of arguments";
}

function renameCommand({ config, commandNames }: Source, old: string, name: string) {
  if (commandNames !== undefined && !commandNames.delete(old.toLowerCase()))
    return "No such command in rename-command";
  if (name !== "" && commandNames?.has(name.toLowerCase()))
    return "Target command name already exists";
  if (name !== "") commandNames?.add(name.toLowerCase());
  config.renamedCommands.push([old, name]);
  return undefined;
}

/** Rules of the default user that say no more than its absence would. */
const PLAIN_RULES = [
  "on",
  "nopass",
  "sanitize-payload",
  "~*",
  "allkeys",
  "&*",
  "allchannels",
  "resetchannels",
  "+@all",
  "allcommands",
];

function userFault(config: Config, [name = "", ...rules]: readonly string[]): string | undefined {
  for (const rule of rules) {
    if (PLAIN_RULES.includes(rule.toLowerCase())) continue;
    if (rule.startsWith(">")) config.load(findDirective("requirepass")!, [rule.slice(1)]);
    else return `Error in user declaration '${rule}': ACL rules are not supported yet`;
  }
  if (name.toLowerCase() === "default") return undefined;
  return `Error in user declaration '${name}': users other than default are not supported yet`;
}

/** One file, or all that a glob finds; no file at all is no fault of a glob. */
function include(source: Source, path: string): string | undefined {
  if (!/[*?[]/.test(path)) return includeFile(source, path);
  for (const found of globSync(path).sort()) {
    const fault = includeFile(source, found);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function includeFile(source: Source, path: string): string | undefined {
  const text = readConfigFile(path);
  const real = realpathSync(path);
  if (source.open.includes(real)) return `'${byteString(path)}' includes itself`;
  applyText({ ...source, open: [...source.open, real] }, text);
  return undefined;
}

function readConfigFile(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    throw new ConfigError(
      `Fatal error, can't open config file '${path}': ${systemErrorText(error)}`,
    );
  }
}

function applyText(source: Source, text: string): void {
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.replace(/^[ \t\r]+|[ \t\r]+$/g, "");
    if (line === "" || line.startsWith("#")) continue;
    const words = splitWords(line);
    const fault =
      words === undefined
        ? "Unbalanced quotes in configuration line"
        : words.length > 0 && applyWords(source, words);
    if (fault)
      throw fatal(source, `Reading the configuration file, at line ${index + 1}`, line, fault);
  }
}

/** Flags as lines of a file: `--port 6380` is `port "6380"`. A lone `-` asks for standard input and gives no line. */
function flagLines(args: readonly string[]): { text: string; fromStdin: boolean } {
  let text = "";
  let fromStdin = false;
  // A directive takes at least one word, even one that begins with dashes.
  let hasWord = true;
  for (const [i, arg] of args.entries()) {
    const isLast = i === args.length - 1;
    if (arg === "-" && (i === 0 || isLast)) {
      fromStdin = true;
    } else if (hasWord && arg.startsWith("--")) {
      text += `\n${byteString(arg.slice(2))} `;
      hasWord = (splitWords(byteString(arg)) ?? []).length !== 1;
      // Lists of points to save at that turned out empty.
      const isBareSave = !hasWord && arg.toLowerCase() === "--save";
      if (isBareSave && (isLast || args[i + 1]!.startsWith("--"))) {
        text += '""';
        hasWord = true;
      }
    } else {
      text += `${quoted(byteString(arg))} `;
      hasWord = true;
    }
  }
  return { text, fromStdin };
}

/** Variables that other images and platforms use, below ours. */
function foreignVariables(env: Record<string, string | undefined>): [string, string, string][] {
  const found: [string, string, string][] = [];
  const { PORT, REDIS_PASSWORD, REDIS_PASSWORD_FILE } = env;
  if (PORT) found.push(["PORT", "port", PORT]);
  if (REDIS_PASSWORD_FILE) {
    const password = unicode(readConfigFile(REDIS_PASSWORD_FILE)).replace(/\r?\n$/, "");
    found.push(["REDIS_PASSWORD_FILE", "requirepass", password]);
  }
  if (REDIS_PASSWORD) found.push(["REDIS_PASSWORD", "requirepass", REDIS_PASSWORD]);
  return found;
}

const PREFIX = "BUNDIS_";
/** Below everything else: for images that bring other defaults. */
const DEFAULT_PREFIX = "BUNDIS_DEFAULT_";

/** The directives among the variables that begin with the prefix: [variable, directive, value]. */
function ourVariables(env: Record<string, string | undefined>, prefix: string) {
  return Object.keys(DIRECTIVES).flatMap((name) => {
    const variable = `${prefix}${name.toUpperCase().replaceAll("-", "_")}`;
    const value = env[variable];
    return value === undefined ? [] : [[variable, name, value] as const];
  });
}

function loadVariable(source: Source, variable: string, name: string, value: string): void {
  const fault = source.config.load(findDirective(name)!, [byteString(value)]);
  const line = `${name} ${quoted(byteString(value))}`;
  if (fault !== undefined)
    throw fatal(source, `Reading the environment variable ${variable}`, line, fault);
}

function applyEnvironment(source: Source, env: Record<string, string | undefined>): void {
  const ours = ourVariables(env, PREFIX);
  for (const [variable, name, value] of [...foreignVariables(env), ...ours])
    loadVariable(source, variable, name, value);
  const known = new Set([...ours, ...ourVariables(env, DEFAULT_PREFIX)].map(([name]) => name));
  for (const variable of Object.keys(env))
    if (variable.startsWith(PREFIX) && !known.has(variable))
      source.config.warnings.push(`The variable ${variable} names no directive.`);
}

function applyDefaults(source: Source, { env = {}, defaults = {} }: LoadOptions): void {
  const given = Object.entries(defaults).map(([name, value]) => ["", name, value] as const);
  for (const [variable, name, value] of [...ourVariables(env, DEFAULT_PREFIX), ...given])
    if (!source.config.isLoaded(findDirective(name)!.primary)) {
      // Nobody has named this directory: it is ours to make.
      if (name === "dir") mkdirSync(value, { recursive: true });
      loadVariable(source, variable, name, value);
    }
}

/**
 * `[file] [-] [--directive value ...]`: the file, then standard input, then the environment, then flags; defaults where all are silent.
 * @throws ConfigError
 */
export function loadConfig(args: readonly string[], options: LoadOptions = {}): Config {
  const config = new Config();
  const source: Source = {
    config,
    version: options.version ?? "Bundis",
    commandNames: options.commandNames && new Set(options.commandNames),
    open: [],
  };
  const file = args[0] === undefined || args[0].startsWith("-") ? undefined : resolve(args[0]);
  const flags = flagLines(file === undefined ? args : args.slice(1));
  let text = "";
  if (file !== undefined) {
    text = readConfigFile(file);
    config.file = file;
  }
  if (flags.fromStdin) text += `\n${(options.readStdin ?? readStdin)()}`;
  applyText({ ...source, open: file === undefined ? [] : [realpathSync(file)] }, text);
  applyEnvironment(source, options.env ?? {});
  applyText(source, flags.text);
  applyDefaults(source, options);
  config.isDefault = args.length === 0;
  return config;
}

function readStdin(): string {
  return readFileSync(0, "latin1");
}
