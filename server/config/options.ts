/** Directives as a program writes them: typed values under the directives' own names, from the same rows as everything else. */
import { Config, findDirective } from "./config.ts";
import type { DIRECTIVES, DirectiveName, DirectiveValue } from "./directives.ts";
import { byteString } from "./syntax.ts";

/** Any text is taken and judged at run time; the type's own values are proposed. */
type Text<Value extends string> = Value | (string & {});

/** What a program may write for a value of this type. */
type Written<Value> = Value extends boolean
  ? boolean | Text<"yes" | "no">
  : Value extends number
    ? number | string
    : Value extends string
      ? Text<Value>
      : string | readonly string[];

type Alias<Name extends DirectiveName> = (typeof DIRECTIVES)[Name] extends { alias: infer Old }
  ? Old & string
  : never;

export type DirectiveOptions = {
  [Name in DirectiveName as Name | Alias<Name>]?: Written<DirectiveValue<Name>> | undefined;
};

function words(value: unknown): readonly string[] {
  if (typeof value === "boolean") return [value ? "yes" : "no"];
  return (Array.isArray(value) ? value : [value]).map((word) => byteString(String(word)));
}

/** @throws Error if a directive is not known or does not take its value */
export function configOf(options: DirectiveOptions): Config {
  const config = new Config();
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const named = findDirective(name);
    if (named === undefined) throw new Error(`there is no directive '${name}'`);
    const fault = config.load(named, words(value));
    if (fault !== undefined) throw new Error(`directive '${name}': ${fault}`);
  }
  return config;
}
