/** How a command is written, from its arguments: the lines of HELP. */
import type { ArgSpec, CommandSpec } from "./spec.ts";

function argUsage(arg: ArgSpec): string {
  const inner = arg.args?.map(argUsage) ?? [];
  const value =
    arg.type === "pure-token"
      ? ""
      : arg.type === "oneof"
        ? inner.join(" | ")
        : arg.type === "block"
          ? inner.join(" ")
          : `<${arg.displayText ?? arg.name}>`;
  const once = [arg.token, arg.type === "oneof" && !arg.optional ? `<${value}>` : value]
    .filter(Boolean)
    .join(" ");
  const again = arg.multipleToken ? once : value;
  const text = arg.multiple ? `${once} [${again} ...]` : once;
  return arg.optional ? `[${text}]` : text;
}

/** "GET <parameter> [<parameter> ...]" */
export function usageOf(spec: CommandSpec): string {
  return [spec.name.toUpperCase(), ...(spec.args ?? []).map(argUsage)].join(" ");
}

/** The lines that a container's HELP answers. */
export function helpLines(container: string, subcommands: readonly CommandSpec[]): string[] {
  return [
    `${container.toUpperCase()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`,
    ...subcommands.flatMap((spec) => [usageOf(spec), `    ${spec.summary}`]),
    "HELP",
    "    Print this help.",
  ];
}
