/**
 * One server per directory. The lock file names its owner's process and the moment that process began: a lock whose owner is gone,
 * or whose process id means another process by now, is taken over.
 */
import { closeSync, linkSync, openSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { AofError } from "./errors.ts";

const NAME = "bundis.lock";

/** Clock ticks since boot at which a process began, "" if it is not there or the system does not tell. */
function beganAt(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A killed process stays in the table until its parent has asked for it.
    return fields[0] === "Z" ? "" : (fields[19] ?? "");
  } catch {
    return "";
  }
}

function owner(path: string): string {
  try {
    return readFileSync(path, "latin1").trim();
  } catch {
    return "";
  }
}

function isAlive(holder: string): boolean {
  const [pid = "", began = ""] = holder.split(" ");
  return began !== "" && beganAt(Number(pid)) === began;
}

/** @returns the process id of the living server that has the directory, undefined if none has */
export function holderOf(dir: string): string | undefined {
  const holder = owner(join(dir, NAME));
  return isAlive(holder) ? holder.split(" ")[0] : undefined;
}

/** @returns what gives the lock back. @throws AofError if a living server has it */
export function lockDirectory(dir: string): () => void {
  const path = join(dir, NAME);
  const mine = `${process.pid} ${beganAt(process.pid)}`;
  const own = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  const fd = openSync(own, "wx");
  writeSync(fd, `${mine}\n`);
  closeSync(fd);
  try {
    // A link either makes the whole lock or fails: no half-written lock is ever seen.
    for (let tries = 0; ; tries++) {
      try {
        linkSync(own, path);
        break;
      } catch (error) {
        if ((error as { code?: string }).code !== "EEXIST") throw error;
        const holder = owner(path);
        if (isAlive(holder) || tries > 0)
          throw new AofError(
            `The data directory ${dir} is in use by the server with process id ${holder.split(" ")[0]}`,
          );
        unlinkSync(path);
      }
    }
  } finally {
    unlinkSync(own);
  }
  return () => {
    if (owner(path) === mine) unlinkSync(path);
  };
}
