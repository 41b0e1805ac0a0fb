import { expect, test } from "bun:test";
import { Address, IoField } from "../../../core-wasm/abi.ts";
import { createCore } from "../../../server/core/core.ts";

test("a new core's reply window is empty and spans the whole output area", () => {
  const core = createCore({ seed: [1, 2], drain: () => {} });
  const field = (name: IoField) => core.memory.i32[(Address.IoBlock + name) >> 2];
  expect(field(IoField.OutTop)).toBe(Address.Output);
  expect(field(IoField.OutEnd)).toBe(Address.OutputEnd);
});
