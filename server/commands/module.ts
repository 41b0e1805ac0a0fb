/** Commands about modules: there are none, and a shared object of Redis's cannot be loaded. */
import { containerCommand } from "./container.ts";
import { protectedHandler } from "./protected.ts";
import { arg, type CommandSpec, serverCommand } from "./spec.ts";

const refused = (line: string) =>
  protectedHandler("MODULE", "enable-module-command", ({ reply }) => reply.error(line));

const cannotLoad = refused("ERR Error loading the extension. Please check the server logs.");

export const MODULE_COMMANDS: readonly CommandSpec[] = [
  containerCommand({
    name: "module",
    group: "server",
    since: "4.0.0",
    arity: -2,
    flags: [],
    summary: "Commands about modules.",
    subcommands: [
      serverCommand({
        name: "list",
        group: "server",
        since: "4.0.0",
        arity: 2,
        flags: ["admin", "noscript"],
        tips: ["nondeterministic_output_order"],
        summary: "Answers the modules that are loaded.",
        complexity: "O(N) for N modules",
        handler: ({ reply }) => reply.array(0),
      }),
      serverCommand({
        name: "load",
        group: "server",
        since: "4.0.0",
        arity: -3,
        flags: ["admin", "noscript", "protected", "no_async_loading"],
        summary: "Loads a module.",
        complexity: "O(1)",
        args: [arg.string("path"), arg.string("arg", { optional: true, multiple: true })],
        handler: cannotLoad,
      }),
      serverCommand({
        name: "loadex",
        group: "server",
        since: "7.0.0",
        arity: -3,
        flags: ["admin", "noscript", "protected", "no_async_loading"],
        summary: "Loads a module with directives and arguments.",
        complexity: "O(1)",
        args: [
          arg.string("path"),
          arg.block("configs", [arg.string("name"), arg.string("value")], {
            token: "CONFIG",
            optional: true,
            multiple: true,
            multipleToken: true,
          }),
          arg.string("args", { token: "ARGS", optional: true, multiple: true }),
        ],
        handler: cannotLoad,
      }),
      serverCommand({
        name: "unload",
        group: "server",
        since: "4.0.0",
        arity: 3,
        flags: ["admin", "noscript", "protected", "no_async_loading"],
        summary: "Unloads a module.",
        complexity: "O(1)",
        args: [arg.string("name")],
        handler: refused("ERR Error unloading module: no such module with that name"),
      }),
    ],
  }),
];
