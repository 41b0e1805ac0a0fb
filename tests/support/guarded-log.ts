/** Texts of log files as the server writes them, made by hand. */
import { addToSum, crcLine, previousLine } from "../../server/persistence/aof/annotations.ts";
import { formatManifest, type ManifestFile } from "../../server/persistence/aof/manifest.ts";
import { frame } from "./reference.ts";

/** Commands as they stand in a log, a line each. */
export function framesOf(...commands: string[]): string {
  return commands.map((command) => frame(command.split(" ")).toString("latin1")).join("");
}

/** A file of blocks: each is closed by the sum of everything so far. */
export function guarded(...blocks: string[]): string {
  let text = "";
  for (const block of blocks) {
    text += block;
    text += crcLine(addToSum(0, Buffer.from(text, "latin1")), text.length);
  }
  return text;
}

/** The first line of the file behind this one. */
export function followed(sequence: number, text: string): string {
  const bytes = Buffer.from(text, "latin1");
  return previousLine({ sequence, size: bytes.length, sum: addToSum(0, bytes) });
}

/** Names, contents and manifest of a directory; a file's type is the one before `.aof` in its name. */
export function logSet(prefix: string, files: Record<string, string>): Record<string, string> {
  const entries = Object.keys(files).map((name): ManifestFile => {
    const sequence = Number(name.split(".").at(-3));
    return { name, sequence, type: name.endsWith(".base.aof") ? "b" : "i" };
  });
  return { ...files, [`${prefix}.manifest`]: formatManifest(entries) };
}
