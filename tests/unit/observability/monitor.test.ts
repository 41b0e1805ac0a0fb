import { expect, test } from "bun:test";
import { Client } from "../../../server/client/client.ts";
import { Outbox } from "../../../server/client/outbox.ts";
import { serverCommand } from "../../../server/commands/spec.ts";
import { isShown, monitorLine } from "../../../server/observability/monitor.ts";
import { argsOf } from "../../support/args.ts";
import { stubLink } from "../../support/link.ts";

const client = new Client(1, stubLink(), new Outbox(), 0);
const spec = (more: object) =>
  serverCommand({
    name: "x",
    group: "generic",
    since: "1.0.0",
    arity: -1,
    flags: [],
    summary: "",
    complexity: "",
    ...more,
  });

test("a line has time, database, address and quoted words", () => {
  client.db = 9;
  const args = argsOf("set", "k", "");
  expect(monitorLine({ spec: spec({}), args, client }, 1_700_000_000_000_042)).toBe(
    '+1700000000.000042 [9 127.0.0.1:1000] "set" "k" ""',
  );
});

test("bytes are shown as Redis shows them", () => {
  client.db = 0;
  const args = argsOf('a"b\\c\n\r\t\x07\b', Buffer.from([0, 31, 127, 128, 255]));
  expect(monitorLine({ spec: spec({}), args, client }, 1e6)).toBe(
    '+1.000000 [0 127.0.0.1:1000] "a\\"b\\\\c\\n\\r\\t\\a\\b" "\\x00\\x1f\\x7f\\x80\\xff"',
  );
});

test("secrets are not shown", () => {
  const args = argsOf("AUTH", "pw");
  const line = monitorLine({ spec: spec({ secrets: "all-arguments" }), args, client }, 0);
  expect(line).toEndWith('"AUTH" "(redacted)"');
});

test("administration is not shown", () => {
  expect(isShown(spec({ flags: ["admin"] }))).toBe(false);
  expect(isShown(spec({ flags: ["skip_monitor"] }))).toBe(false);
  expect(isShown(spec({ flags: ["write"] }))).toBe(true);
});
