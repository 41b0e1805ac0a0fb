import { describe, expect, test } from "bun:test";
import { FileSet } from "../../../../server/persistence/aof/file-set.ts";
import {
  formatManifest,
  type ManifestFile,
  parseManifest,
} from "../../../../server/persistence/aof/manifest.ts";
import { SimDisk } from "../../../support/sim-disk.ts";

const NAMES = { dir: "/log", prefix: "a.aof" };
const BASE: ManifestFile = { name: "a.aof.1.base.aof", sequence: 1, type: "b" };
const INCR: ManifestFile = { name: "a.aof.1.incr.aof", sequence: 1, type: "i" };
const parse = (text: string) => parseManifest(text, "m");

describe("a manifest", () => {
  test.each(["plain", "with blank", 'quote"s', "single's", "back\\slash", "tab\t", "ümläut", "#"])(
    "gives the name %p back",
    (name) => {
      const files = [BASE, { name: `${name}.2.incr.aof`, sequence: 2, type: "i" as const }];
      expect(parse(formatManifest(files))).toEqual(files);
    },
  );

  test("is read as Redis writes it: any order, other words, comments, no checksum", () => {
    const text = [
      "# a comment",
      "seq 1 FILE a.aof.1.base.aof type b newkey newvalue",
      'file "a.aof.1.incr.aof" seq 1 type i',
      "file a.aof.9.incr.aof seq 9 type h",
    ].join("\n");
    const history: ManifestFile = { name: "a.aof.9.incr.aof", sequence: 9, type: "h" };
    expect(parse(`${text}\n`)).toEqual([BASE, INCR, history]);
    expect(parse(text)).toEqual([BASE, INCR, history]);
  });

  test.each([
    ["", "Found an empty AOF manifest: m at offset 0"],
    ["# nothing\n", "Found an empty AOF manifest: m at offset 0"],
    [
      "file x seq 1 type b\n\nfile y seq 1 type i\n",
      "manifest file format: m, line 2 at offset 20",
    ],
    ["file x seq 1 type\n", "Invalid AOF manifest file format: m, line 1 at offset 0"],
    ["file x seq 1\n", "Invalid AOF manifest file format: m, line 1"],
    ["file x seq 0 type b\n", "Invalid AOF manifest file format: m, line 1"],
    ["file x seq -1 type b\n", "Invalid AOF manifest file format: m, line 1"],
    ['file "x seq 1 type b\n', "Invalid AOF manifest file format: m, line 1"],
    ["file x seq 1 type q\n", "Unknown AOF file type: m, line 1"],
    ["file ../x seq 1 type b\n", "File can't be a path, just a filename: m, line 1"],
    [`file ${"x".repeat(1024)} seq 1 type b\n`, "contains too long line: m, line 1"],
    ["file x seq 1 type b\nfile y seq 2 type b\n", "duplicate base file information: m, line 2"],
    ["file x seq 2 type i\nfile y seq 2 type i\n", "a non-monotonic sequence number: m, line 2"],
  ])("%p is refused", (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });
});

describe("files that no manifest names", () => {
  test("are deleted if a rewrite that was cut short made them", () => {
    const disk = new SimDisk();
    const files = FileSet.read(disk, NAMES);
    files.replaceNow([BASE, INCR]);
    const ours = Buffer.from("#BASE:bundis\r\n*1\r\n");
    disk.place("/log/temp-rewriteaof-bg-7.aof", ours);
    disk.place("/log/a.aof.2.base.aof", ours);
    disk.place("/log/a.aof.3.base.aof", ours);
    files.dropTemporaries();
    expect(disk.list("/log").sort()).toEqual(["a.aof.3.base.aof", "a.aof.manifest"]);
    // Without a manifest it may be all there is.
    const other = new SimDisk();
    other.place("/log/a.aof.1.base.aof", ours);
    FileSet.read(other, NAMES).dropTemporaries();
    expect(other.list("/log")).toEqual(["a.aof.1.base.aof"]);
  });

  test("are told, and not written over", () => {
    const disk = new SimDisk();
    disk.place("/log/a.aof.1.incr.aof", Buffer.from("old"));
    disk.place("/log/a.aof.2.incr.aof", new Uint8Array(0));
    disk.place("/log/a.aof.1.base.rdb", Buffer.from("REDIS"));
    disk.place("/log/other.1.incr.aof", Buffer.from("other"));
    disk.place("/log/a.aof.1.base.aof", Buffer.from("old"));
    const files = FileSet.read(disk, NAMES);
    expect(files.strangers().sort()).toEqual([
      "a.aof.1.base.aof",
      "a.aof.1.base.rdb",
      "a.aof.1.incr.aof",
    ]);
    expect(files.nextIncremental()).toEqual({ name: "a.aof.2.incr.aof", sequence: 2, type: "i" });
    expect(files.nextBase().sequence).toBe(2);
    files.replaceNow([BASE, INCR]);
    expect(files.strangers()).toEqual(["a.aof.1.base.rdb"]);
  });
});
