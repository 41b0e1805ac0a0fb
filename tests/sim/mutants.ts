/**
 * Shows that the histories find what they are there for: in a copy of the checkout one bug at a time is put in, and histories are played
 * until one of them fails. Each must be found within the number that CI plays, and the seed that is printed must fail once more.
 *
 *   bun tests/sim/mutants.ts [words of a bug's name]
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HISTORIES } from "./histories.ts";

const ROOT = join(import.meta.dir, "../..");
const COPIED = ["server", "core-wasm", "tests", "build", "build.ts", "asconfig.json"];
const LINKED = ["node_modules", "package.json", "tsconfig.json", "bunfig.toml", "bun.lock"];
const AOF = "server/persistence/aof";

interface Mutant {
  name: string;
  file: string;
  /** Stands in the file once. */
  from: string;
  to: string;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: "under always a reply leaves when the kernel has the write",
    file: `${AOF}/log.ts`,
    from: "const safe = this.isAlways ? this.syncedPoint : this.writtenPoint;",
    to: "const safe = this.writtenPoint;",
  },
  {
    name: "a block whose write failed is dropped",
    file: `${AOF}/log.ts`,
    from: "    } catch (error) {\n      return this.fail(causeOf(error));\n    }\n    this.remember(",
    to: "    } catch (error) {\n      this.block.clear();\n      return this.fail(causeOf(error));\n    }\n    this.remember(",
  },
  {
    name: "the result of a sync is not looked at",
    file: `${AOF}/log-file.ts`,
    from: "        await this.file.syncLater();\n        this.covered(extent);\n      } catch (error) {\n        this.isDead = true;\n        throw error;\n      }",
    to: "        await this.file.syncLater();\n      } catch {}\n      this.covered(extent);",
  },
  {
    name: "a block that was written in part is not cut off",
    file: `${AOF}/log-file.ts`,
    from: "      this.file.truncate(this.extent.size);\n      this.roomEnd = 0;\n    } catch {",
    to: "    } catch {",
  },
  {
    name: "what is missing in a block over room is not seen",
    file: `${AOF}/room.ts`,
    from: "firstHole(file, end) ?? end",
    to: "end",
  },
  {
    name: "two blocks over room have no sync between them",
    file: `${AOF}/log.ts`,
    from: "if (!current.mayHaveHoles) return true;",
    to: "if (current.isSynced || !current.isSynced) return true;",
  },
  {
    name: "what is added without room comes behind it",
    file: `${AOF}/log-file.ts`,
    from: "    if (this.roomEnd === 0) return;\n",
    to: "    if (this.roomEnd >= 0) return;\n",
  },
  {
    name: "the file before is not synced before the next one",
    file: `${AOF}/log.ts`,
    from: "      await previous.syncLater();",
    to: "      await Promise.resolve();",
  },
  {
    name: "a fresh file does not name its database",
    file: `${AOF}/log.ts`,
    from: "    this.current = switching.next;\n    this.block.forgetDb();",
    to: "    this.current = switching.next;",
  },
  {
    name: "what a sync behind another covers is kept as if it did not",
    file: `${AOF}/log.ts`,
    from: "      if (this.current === current) mark = this.unsynced.mark();",
    to: "",
  },
  {
    name: "a file whose first line is torn is begun once more",
    file: `${AOF}/log.ts`,
    from: "      if (switching.next.isDead) this.options.restarted(this.sequence);",
    to: "",
  },
  {
    name: "blocks that no sync covered do not go to the file behind a dead one",
    file: `${AOF}/log.ts`,
    from: "      if (lost.size > 0) fresh.append(lost);",
    to: "",
  },
  {
    name: "a rewrite names its base before it has its place",
    file: `${AOF}/rewrite.ts`,
    from: "    await files.disk.renameLater(path, files.pathOf(base));\n    await files.disk.syncDirectoryLater(files.names.dir);\n",
    to: "    setTimeout(() => void files.disk.renameLater(path, files.pathOf(base)).catch(() => {}), 20);\n",
  },
  {
    name: "a base is not synced",
    file: `${AOF}/base-writer.ts`,
    from: "    if (this.error === undefined) await this.file.syncLater();",
    to: "",
  },
  {
    name: "a manifest is not synced",
    file: `${AOF}/manifest.ts`,
    from: "    await file.syncLater();",
    to: "    await Promise.resolve();",
  },
  {
    name: "the directory is not synced behind a manifest",
    file: `${AOF}/file-set.ts`,
    from: "      await disk.syncDirectoryLater(names.dir);",
    to: "      await Promise.resolve();",
  },
  {
    name: "a rewrite drops the file that goes on",
    file: `${AOF}/rewrite.ts`,
    from: "    await files.replace([base, ...history, ...incrementals]);",
    to: "    await files.replace([base, ...history]);",
  },
  {
    name: "a file that was given up is still named",
    file: `${AOF}/rewrite.ts`,
    from: "      files.forget(this.next);",
    to: "",
  },
  {
    name: "a base that cannot be deleted has the file that was begun for it stay named",
    file: `${AOF}/rewrite.ts`,
    from: "      await this.writer?.discard();\n    } catch {",
    to: "      await this.writer?.discard();\n    } catch (error) {\n      throw error;",
  },
  {
    name: "a file that was written under `no` is not synced before the next one",
    file: `${AOF}/log.ts`,
    from: "    this.previous = this.current;",
    to: '    if (this.options.policy() === "no") this.current.close();\n    else this.previous = this.current;',
  },
  {
    name: "what a killed process has left is not synced",
    file: `${AOF}/append-only.ts`,
    from: "    await files.sync();",
    to: "    await Promise.resolve();",
  },
  {
    name: "a dead file is synced once more for who asks for syncs",
    file: `${AOF}/log.ts`,
    from: "if (this.isBusy || this.isDead ||",
    to: "if (this.isBusy ||",
  },
  {
    name: "a unit of several commands has no MULTI",
    file: `${AOF}/block.ts`,
    from: "    if (this.unitCommands < 2) return;",
    to: "    if (this.unitCommands < 99) return;",
  },
  {
    name: "a torn tail is cut a byte too late",
    file: `${AOF}/load-set.ts`,
    from: "    truncate(files.disk, path, loaded.end);",
    to: "    truncate(files.disk, path, loaded.end + 1);",
  },
  {
    name: "a file behind a torn one is loaded all the same",
    file: `${AOF}/load-set.ts`,
    from: "    const expected = limit?.size ?? loaded.size;",
    to: "    const expected = loaded.size;",
  },
  {
    name: "what waiting clients are served with is not held back",
    file: "server/dispatch/dispatch.ts",
    from: "    wait.triedUs += clock.monotonicUs() - beganUs;",
    to: "    wait.triedUs += clock.monotonicUs() - beganUs;\n    client.holdUntil = 0;",
  },
  {
    name: "keys that have expired are not logged",
    file: "server/dispatch/effects.ts",
    from: "        case EffectKind.Expired:\n        case EffectKind.Evicted:",
    to: "        case EffectKind.Expired:\n          break;\n        case EffectKind.Evicted:",
  },
  {
    name: "keys that were evicted are not logged",
    file: "server/dispatch/effects.ts",
    from: "        case EffectKind.Expired:\n        case EffectKind.Evicted:",
    to: "        case EffectKind.Evicted:\n          break;\n        case EffectKind.Expired:",
  },
  {
    name: "the generations of unsynced keys do not take turns",
    file: "core-wasm/unsynced.ts",
    from: "(wasSecond ? 0 : Tracking.Second)",
    to: "(wasSecond ? Tracking.Second : 0)",
  },
  {
    name: "what is changed before a rewrite has come to it is not written first",
    file: "core-wasm/snapshot/walk.ts",
    from: "    writeFrom(entry, isPartial ? walk.cursor : 0);\n    if (isPartial)",
    to: "    if (isPartial)",
  },
  {
    name: "the deadline of a key is left out of the base of a collection",
    file: "core-wasm/snapshot/values.ts",
    from: "  if (deadline === 0) return;",
    to: "  if (deadline !== 0) return;",
  },
  {
    name: "fields with deadlines are left out of the base of a hash",
    file: "core-wasm/snapshot/hash.ts",
    from: "  if (!hasFieldDeadlines(entry)) return;",
    to: "  if (hasFieldDeadlines(entry)) return;",
  },
  {
    name: "the last member of a sorted set is left out of its base",
    file: "core-wasm/snapshot/sorted-set.ts",
    from: "  return rank < count ? rank : 0;",
    to: "  return rank < count && rank > 64 ? rank : 0;",
  },
  {
    name: "the base of a list begins each command with the element before",
    file: "core-wasm/snapshot/list.ts",
    from: "  const next = start + elements;",
    to: "  const next = elements === 64 && start > 0 ? start + 63 : start + elements;",
  },
];

function copyOfCheckout(): string {
  const dir = mkdtempSync(join(tmpdir(), "bundis-mutant-"));
  for (const name of COPIED) cpSync(join(ROOT, name), join(dir, name), { recursive: true });
  for (const name of LINKED) symlinkSync(join(ROOT, name), join(dir, name));
  return dir;
}

function run(dir: string, command: string[], settings: Record<string, string>): string {
  const result = Bun.spawnSync([process.execPath, ...command], {
    cwd: dir,
    env: { ...process.env, ...settings },
    stdout: "pipe",
    stderr: "pipe",
  });
  return result.stdout.toString() + result.stderr.toString();
}

interface Finding {
  seed: number;
  what: string;
}

/** Plays histories until one fails. */
function play(dir: string, first: number, count: number): Finding | undefined {
  const settings = { SIM_FIRST: String(first), SIM_HISTORIES: String(count), SIM_FAILURES: "1" };
  const test = ["test", "--timeout=3600000", "-t", "no history", "tests/sim/histories.test.ts"];
  const text = run(dir, test, settings);
  const match = /SIM_SEED=(\d+) bun test tests\/sim\n[+\s]*(?:Error: )?([^\n]*)/.exec(text);
  if (match !== null) return { seed: Number(match[1]), what: match[2]!.slice(0, 120) };
  if (!/ 0 fail\n/.test(text)) throw new Error(`the histories cannot be played:\n${text}`);
  return undefined;
}

function put(dir: string, { file, from, to }: Mutant): () => void {
  const path = join(dir, file);
  const text = readFileSync(path, "utf8");
  if (text.split(from).length !== 2) throw new Error(`${file} has changed: ${from}`);
  writeFileSync(path, text.replace(from, to));
  const isCore = file.startsWith("core-wasm/");
  if (isCore) run(dir, ["build.ts", "--if-stale"], {});
  return () => {
    writeFileSync(path, text);
    if (isCore) run(dir, ["build.ts", "--if-stale"], {});
  };
}

/** Says which history finds it. @returns whether one does, twice */
function judge(dir: string, mutant: Mutant): boolean {
  const takeBack = put(dir, mutant);
  const found = play(dir, 1, HISTORIES);
  const again = found === undefined ? undefined : play(dir, found.seed, 1);
  takeBack();
  const isSame = again?.what === found?.what;
  const result =
    found === undefined
      ? `NOT FOUND in ${HISTORIES}`
      : `history ${found.seed}${isSame ? ", and again" : ", BUT NOT AGAIN"}: ${found.what}`;
  console.log(`${mutant.name}: ${result}`);
  return found !== undefined && isSame;
}

/** @returns the exit code */
function judgeAll(words: readonly string[]): number {
  const chosen = MUTANTS.filter(({ name }) => words.every((word) => name.includes(word)));
  const dir = copyOfCheckout();
  try {
    return chosen.filter((mutant) => !judge(dir, mutant)).length === 0 ? 0 : 1;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

if (import.meta.main) process.exit(judgeAll(process.argv.slice(2)));
