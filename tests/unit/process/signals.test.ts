import { expect, test } from "bun:test";
import { Config } from "../../../server/config/config.ts";
import { handleSignals } from "../../../server/process/signals.ts";

function setUp() {
  const handlers = new Map<string, () => void>();
  const seen: unknown[] = [];
  const state = { isStopping: false, isRefused: false, isLoading: false };
  const config = new Config();
  const log = (text: string) => seen.push(text);
  handleSignals({
    config,
    logger: {
      options: { level: "notice", file: "" },
      debug: log,
      verbose: log,
      notice: log,
      warning: log,
      reopen: () => seen.push("reopened"),
      close: () => {},
    },
    isStopping: () => state.isStopping,
    isLoading: () => state.isLoading,
    stopNow: () => seen.push("stopped"),
    shutdown(options, refused) {
      seen.push(options);
      if (state.isRefused) refused();
    },
    crash: (error) => seen.push(String(error)),
    exit: (code) => seen.push(`exit ${code}`),
    on: (signal, handler) => handlers.set(signal, handler),
  });
  return { send: (signal: string) => handlers.get(signal)!(), seen, state, config };
}

test("SIGINT during a stop exits at once with 1, SIGTERM does not", () => {
  const { send, seen, state } = setUp();
  send("SIGINT");
  state.isStopping = true;
  send("SIGTERM");
  send("SIGINT");
  expect(seen).toEqual([
    "Received SIGINT scheduling shutdown...",
    { now: false, force: false },
    "Received SIGTERM scheduling shutdown...",
    { now: false, force: false },
    "You insist... exiting now.",
    "exit 1",
  ]);
});

test("signals carry the options that their directives have at that moment", () => {
  const { send, seen, config } = setUp();
  config.set([
    ["shutdown-on-sigint", "nosave now"],
    ["shutdown-on-sigterm", "save force"],
  ]);
  send("SIGINT");
  send("SIGTERM");
  expect(seen.filter((event) => typeof event === "object")).toEqual([
    { save: false, now: true, force: false },
    { save: true, now: false, force: true },
  ]);
});

test("a refused stop is told with its signal", () => {
  const { send, seen, state } = setUp();
  state.isRefused = true;
  send("SIGTERM");
  expect(seen.at(-1)).toBe(
    "SIGTERM received but errors trying to shut down the server, check the logs for more information",
  );
});

test("while the dataset is loaded a signal stops the server at once", () => {
  const { send, seen, state } = setUp();
  state.isLoading = true;
  send("SIGTERM");
  expect(seen).toEqual(["Received shutdown signal during loading, exiting now.", "stopped"]);
});

test("SIGABRT asks for a crash report", () => {
  const { send, seen } = setUp();
  send("SIGABRT");
  expect(seen).toEqual(["signal: SIGABRT"]);
});

test("SIGHUP opens the log anew", () => {
  const { send, seen } = setUp();
  send("SIGHUP");
  expect(seen).toEqual(["reopened", "Received SIGHUP, the log file is open anew."]);
});
