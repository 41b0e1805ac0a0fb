/** The words of a command as SLOWLOG and MONITOR may show them: what its spec calls secret is left out. */
import type { Args } from "../commands/context.ts";
import type { CommandSpec } from "../commands/spec.ts";
import { isSecretDirective } from "../config/config.ts";

const REDACTED = Buffer.from("(redacted)");

/** Positions of the `words` words behind each `option`: MIGRATE AUTH2 user password. */
function positionsBehind(args: Args, option: string, words: number): number[] {
  const found: number[] = [];
  for (let i = 1; i < args.count; i++)
    if (args.word(i) === option)
      for (const last = i + words; i < last && i + 1 < args.count; ) found.push(++i);
  return found;
}

function positionsFrom(first: number, args: Args): number[] {
  return Array.from({ length: Math.max(0, args.count - first) }, (_, i) => first + i);
}

function passwordsOfDirectives(args: Args): number[] {
  return positionsFrom(3, args).filter(
    (at) => at % 2 === 1 && isSecretDirective(args.word(at - 1)),
  );
}

function secretsOf(spec: CommandSpec, args: Args): number[] {
  switch (spec.secrets) {
    case "all-arguments":
      return positionsFrom(1, args);
    case "behind-subcommand":
      return positionsFrom(2, args);
    case "after-auth":
      return [
        ...positionsBehind(args, "auth", spec.name === "hello" ? 2 : 1),
        ...positionsBehind(args, "auth2", 2),
      ];
    case "sensitive-directives":
      return passwordsOfDirectives(args);
    default:
      return [];
  }
}

/** Positions in argv that must not be shown. O(argc) for a command with secrets */
export function secretPositions(spec: CommandSpec, args: Args): ReadonlySet<number> {
  return new Set(secretsOf(spec, args));
}

/** Word `index`, or what stands for it. A borrowed view. */
export function shownWord(args: Args, index: number, secrets: ReadonlySet<number>): Uint8Array {
  return secrets.has(index) ? REDACTED : args.bytes(index);
}
