import { expect, test } from "bun:test";
import fc from "fast-check";
import type { CommandSpec } from "../../../server/commands/spec.ts";
import { ALL_COMMANDS, createCommandTable } from "../../../server/commands/table.ts";

const SLACK_BYTES = 8;
const table = createCommandTable(ALL_COMMANDS);

/** Looks `name` up where it lies between other bytes, as in the input window. */
function lookup(name: string, at = 3, filler = 0x41, used = table): number {
  const bytes = new Uint8Array(at + name.length + SLACK_BYTES).fill(filler);
  bytes.set(Buffer.from(name, "latin1"), at);
  return used.lookup(new DataView(bytes.buffer), at, name.length);
}

function mixCase(name: string, mask: number): string {
  return [...name]
    .map((letter, i) => ((mask >> (i % 31)) & 1 ? letter.toUpperCase() : letter))
    .join("");
}

test("every command is found by its name in any case, whatever bytes surround it", () => {
  fc.assert(
    fc.property(
      fc.nat(ALL_COMMANDS.length - 1),
      fc.nat(),
      fc.nat(15),
      fc.nat(255),
      (index, mask, at, filler) => {
        const name = mixCase(ALL_COMMANDS[index]!.name, mask);
        expect(lookup(name, at, filler)).toBe(index);
        expect(table.indexOf(name)).toBe(index);
      },
    ),
  );
});

test("lookup and indexOf agree on arbitrary bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 0, maxLength: 20 }), (bytes) => {
      const name = Buffer.from(bytes).toString("latin1");
      const expected = ALL_COMMANDS.findIndex(
        (spec) => spec.name === name.replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
      );
      expect(lookup(name)).toBe(expected);
    }),
  );
});

test("the case bit makes another name of all but letters", () => {
  for (const [index, { name }] of ALL_COMMANDS.entries())
    for (let i = 0; i < name.length; i++) {
      const flipped = String.fromCharCode(name.charCodeAt(i) ^ 0x20);
      const other = name.slice(0, i) + flipped + name.slice(i + 1);
      expect(lookup(other)).toBe(/[a-z]/i.test(flipped) ? index : -1);
    }
});

test("a prefix, an extension or one changed byte of a name is another name", () => {
  const names = new Set(ALL_COMMANDS.map((spec) => spec.name));
  for (const { name } of ALL_COMMANDS) {
    for (const other of [name.slice(0, -1), `${name}x`, `${name}\0`, ` ${name}`])
      if (!names.has(other)) expect(lookup(other)).toBe(-1);
    for (let i = 0; i < name.length; i++) {
      const flipped = name.charCodeAt(i) ^ 0x80;
      expect(lookup(name.slice(0, i) + String.fromCharCode(flipped) + name.slice(i + 1))).toBe(-1);
    }
  }
});

test("bytes that differ only in the case bit are told apart unless they are letters", () => {
  const spec = (name: string): CommandSpec => ({ ...ALL_COMMANDS[0]!, name });
  const own = createCommandTable([spec("a_b"), spec("long-name-1"), spec("long-name-2")]);
  expect(lookup("A_B", 0, 0, own)).toBe(0);
  expect(lookup("a\x7fb", 0, 0, own)).toBe(-1);
  expect(lookup("LONG-NAME-1", 0, 0, own)).toBe(1);
  expect(lookup("long-name-2", 0, 0, own)).toBe(2);
  expect(lookup("long\rname-2", 0, 0, own)).toBe(-1);
});
