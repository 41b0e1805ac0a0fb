/**
 * The values of all directives of one server. They are set by a file, the environment and flags (load.ts), then by CONFIG SET;
 * read by their typed names.
 */
import type { Directive } from "./directive.ts";
import { DIRECTIVES, type DirectiveName, type DirectiveValue } from "./directives.ts";
import { compileGlob } from "./glob.ts";
import { type Parsed, Refusal, wordsOf } from "./kinds.ts";
import { byteString, unicode } from "./syntax.ts";

/** Acts on new values. @returns why that failed, which puts the old ones back; nothing if it did not */
type Apply = () => string | undefined;

interface Named {
  /** Under which the value is held. */
  primary: DirectiveName;
  directive: Directive;
}

/** Primary names and aliases, each alias behind its primary name. */
const NAMES: ReadonlyMap<string, Named> = new Map(
  (Object.entries(DIRECTIVES) as [DirectiveName, Directive][]).flatMap(([primary, directive]) => {
    const named = { primary, directive };
    const names = directive.alias === undefined ? [primary] : [primary, directive.alias];
    return names.map((name) => [name, named] as const);
  }),
);

/** The directive of a name or alias in any case. */
export function findDirective(name: string): Named | undefined {
  return NAMES.get(name.toLowerCase());
}

/** True if the value must not be shown in logs. */
export function isSecretDirective(name: string): boolean {
  return findDirective(name)?.directive.secret === true;
}

/** The words of a value of CONFIG SET: two blanks make an empty one. */
function argumentsOf({ kind }: Directive, text: string): readonly string[] {
  if (!kind.many) return [text];
  return text === "" ? [] : text.split(" ");
}

export interface SetOptions {
  /** The caller may set what enable-protected-configs protects. */
  mayUseProtected: boolean;
}

function failed(name: string, why: string): string {
  return `ERR CONFIG SET failed (possibly related to argument '${name}') - ${why}`;
}

export class Config {
  /** Absolute path of the file it was read from, for CONFIG REWRITE. */
  file: string | undefined;
  /** True if neither a file nor flags were given. */
  isDefault = true;
  /** What its sources had that is not wrong but odd, for the log. */
  readonly warnings: string[] = [];
  /** `rename-command` lines: [name, new name or empty]. */
  readonly renamedCommands: (readonly [string, string])[] = [];
  private readonly initials = new Map<DirectiveName, Parsed<unknown>>();
  private readonly current = new Map<DirectiveName, Parsed<unknown>>();
  private readonly loaded = new Set<DirectiveName>();
  private readonly applies = new Map<DirectiveName, Apply[]>();

  constructor() {
    const directory = byteString(process.cwd());
    for (const [primary, { directive }] of this.primaries()) {
      const words = wordsOf(directive.kind, directive.initial) ?? [];
      const nothing = { value: {}, text: directory };
      const parsed = directive.kind.parse(words, nothing, false);
      if (parsed instanceof Refusal) throw new Error(`default of ${primary}: ${parsed.why}`);
      this.initials.set(primary, parsed);
      this.current.set(primary, parsed);
    }
  }

  get<Name extends DirectiveName>(name: Name): DirectiveValue<Name> {
    return this.current.get(name)!.value as DirectiveValue<Name>;
  }

  /** What CONFIG GET shows. */
  text(name: DirectiveName): string {
    return this.current.get(name)!.text;
  }

  /** The path that a directive holds, absolute: relative ones begin at `dir`; empty stays empty. */
  path(name: DirectiveName): string {
    const path = unicode(this.text(name));
    return path === "" || path.startsWith("/") ? path : `${unicode(this.text("dir"))}/${path}`;
  }

  /** True if a file, the environment or a flag set it. */
  isLoaded(name: DirectiveName): boolean {
    return this.loaded.has(name);
  }

  isInitial(name: DirectiveName): boolean {
    return this.text(name) === this.initials.get(name)!.text;
  }

  /** Takes the words behind a directive's name at start. @returns why they are refused */
  load(named: Named, given: readonly string[]): string | undefined {
    const { primary, directive } = named;
    const { kind } = directive;
    if (!kind.many && given.length !== 1) return "wrong number of arguments";
    const words = given.length === 1 ? (wordsOf(kind, given[0]!) ?? []) : given;
    const parsed = kind.parse(words, this.current.get(primary)!, this.loaded.has(primary));
    if (parsed instanceof Refusal) return parsed.why;
    this.current.set(primary, parsed);
    this.loaded.add(primary);
    return undefined;
  }

  /** CONFIG SET: all pairs or none. @returns the error line, or undefined */
  set(
    pairs: readonly (readonly [string, string])[],
    options: SetOptions = { mayUseProtected: false },
  ): string | undefined {
    const found: { name: string; named: Named; text: string }[] = [];
    for (const [given, text] of pairs) {
      const named = findDirective(given);
      if (named === undefined)
        return `ERR Unknown option or number of arguments for CONFIG SET - '${given}'`;
      if (named.directive.atStart) return failed(given, "can't set immutable config");
      if (named.directive.guarded && !options.mayUseProtected)
        return failed(given, "can't set protected config");
      const name = given.toLowerCase();
      if (found.some((other) => other.name === name)) return failed(given, "duplicate parameter");
      found.push({ name, named, text });
    }
    const before = new Map(this.current);
    const changed = new Map<DirectiveName, string>();
    for (const { name, named, text } of found) {
      const old = this.current.get(named.primary)!;
      const parsed = named.directive.kind.parse(argumentsOf(named.directive, text), old, false);
      if (parsed instanceof Refusal) {
        this.restore(before);
        return failed(name, parsed.why);
      }
      this.current.set(named.primary, parsed);
      if (parsed.text !== old.text) changed.set(named.primary, name);
    }
    const fault = this.apply(changed);
    if (fault === undefined) return undefined;
    this.restore(before);
    this.apply(changed);
    return failed(fault.name, fault.why);
  }

  /** Runs what hangs on the changed values, each function once. */
  private apply(
    changed: ReadonlyMap<DirectiveName, string>,
  ): { name: string; why: string } | undefined {
    const done = new Set<Apply>();
    for (const [primary, name] of changed)
      for (const apply of this.applies.get(primary) ?? []) {
        if (done.has(apply)) continue;
        done.add(apply);
        const why = apply();
        if (why !== undefined) return { name, why };
      }
    return undefined;
  }

  private restore(before: ReadonlyMap<DirectiveName, Parsed<unknown>>): void {
    for (const [name, parsed] of before) this.current.set(name, parsed);
  }

  /** Calls `react` after each CONFIG SET that changed one of the directives, when all its values are in force. */
  onChange(names: DirectiveName | readonly DirectiveName[], react: () => void): void {
    this.applyWith(names, () => {
      react();
      return undefined;
    });
  }

  /** Like onChange, for what can fail: CONFIG SET then puts all its values back, calls `apply` again and shows the reason. */
  applyWith(names: DirectiveName | readonly DirectiveName[], apply: Apply): void {
    for (const name of typeof names === "string" ? [names] : names)
      this.applies.set(name, [...(this.applies.get(name) ?? []), apply]);
  }

  /** CONFIG GET: names as asked for or as they match, each once, with their texts. */
  match(patterns: readonly string[]): [string, string][] {
    const found = new Map<string, [string, string]>();
    const add = (shown: string, named: Named) => {
      const name = shown.toLowerCase();
      if (!found.has(name)) found.set(name, [shown, this.text(named.primary)]);
    };
    for (const pattern of patterns) {
      if (!/[[*?]/.test(pattern)) {
        const named = findDirective(pattern);
        if (named !== undefined) add(pattern, named);
        continue;
      }
      const glob = compileGlob(pattern.toLowerCase());
      for (const [name, named] of NAMES)
        if (!named.directive.hidden && glob.test(name)) add(name, named);
    }
    return [...found.values()];
  }

  /** Each directive once, with its lines for CONFIG REWRITE. */
  *rewritten(): Generator<{
    name: DirectiveName;
    lines: readonly { words: string; force: boolean }[];
  }> {
    for (const [name, { directive }] of this.primaries())
      yield {
        name,
        lines: directive.kind.rewrite(this.current.get(name)!, this.initials.get(name)!),
      };
  }

  /** Directives without effect whose value is not the default, and why. */
  *ignored(): Generator<[name: DirectiveName, why: string]> {
    for (const [name, { directive }] of this.primaries())
      if (!directive.hasEffect && !this.isInitial(name)) yield [name, directive.about];
  }

  /** Names and texts of what is not the default, without secrets. */
  *settings(): Generator<[name: DirectiveName, text: string]> {
    for (const [name, { directive }] of this.primaries())
      if (!directive.secret && !this.isInitial(name)) yield [name, this.text(name)];
  }

  /** The same for the same settings. */
  digest(): string {
    const text = [...this.settings()].map((pair) => pair.join(" ")).join("\n");
    return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 16);
  }

  private *primaries(): Generator<[DirectiveName, Named]> {
    for (const [name, named] of NAMES) if (name === named.primary) yield [named.primary, named];
  }
}
