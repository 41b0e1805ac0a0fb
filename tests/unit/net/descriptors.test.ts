import { expect, test } from "bun:test";
import { checkDescriptors } from "../../../server/net/descriptors.ts";

test("clients that fit beside the reserved descriptors are left alone", () => {
  expect(checkDescriptors(10_000, 10_032)).toEqual({ maxClients: 10_000, warnings: [] });
  expect(checkDescriptors(10_000, Number.POSITIVE_INFINITY).maxClients).toBe(10_000);
});

test("maxclients is lowered to what the limit leaves, and Redis's words say so", () => {
  const { maxClients, warnings, fatal } = checkDescriptors(10_000, 64);
  expect(maxClients).toBe(32);
  expect(fatal).toBeUndefined();
  expect(warnings).toHaveLength(3);
  expect(warnings[0]).toBe(
    "You requested maxclients of 10000 requiring at least 10032 max file descriptors.",
  );
  expect(warnings[2]).toContain("maxclients has been reduced to 32 to compensate for low ulimit.");
});

test("a limit that leaves nothing for clients stops the start", () => {
  expect(checkDescriptors(10_000, 33).fatal).toBeUndefined();
  expect(checkDescriptors(10_000, 32).fatal).toContain(
    "Please increase your open file limit to at least 10032. Exiting.",
  );
});
