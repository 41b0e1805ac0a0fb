/** Commands that a directive must allow: `no`, `yes`, or `local` for connections of this machine. */
import type { CommandContext } from "./context.ts";
import type { Handler } from "./spec.ts";

type Allowance = "no" | "yes" | "local";

/** Whether the client is at the other end of a unix socket or of a loopback connection. */
function isLocal(address: string): boolean {
  return /^(127\.|\[::1\]|\/)/.test(address);
}

/** Whether a directive of this value allows something to the running client. */
export function isAllowed({ client }: CommandContext, allowance: Allowance): boolean {
  return allowance === "local" ? isLocal(client.address) : allowance === "yes";
}

/** The handler, refused with Redis's text where the directive does not allow it. */
export function protectedHandler(
  command: string,
  directive: "enable-debug-command" | "enable-module-command",
  handler: Handler,
): Handler {
  return (context) => {
    if (isAllowed(context, context.config.get(directive))) return handler(context);
    context.reply.error(
      `ERR ${command} command not allowed. If the ${directive} option is set to "local", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.`,
    );
  };
}
