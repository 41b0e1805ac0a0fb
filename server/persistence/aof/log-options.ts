/** What a log asks of the server it is part of. */
import type { Clock } from "../../commands/context.ts";
import type { Core } from "../../core/core.ts";
import type { LogLevel } from "../../observability/log.ts";
import type { FileSet } from "./file-set.ts";

export type SyncPolicy = "always" | "everysec" | "no";

export interface LogOptions {
  core: Pick<Core, "memory" | "trackWrites" | "syncBegins" | "syncEnds">;
  clock: Clock;
  files: FileSet;
  log: (level: LogLevel, text: string) => void;
  /** appendfsync; `policyChanged` tells of a change. */
  policy: () => SyncPolicy;
  /** aof-timestamp-enabled */
  timestamps: () => boolean;
  /** no-appendfsync-on-rewrite, and a rewrite is under way */
  syncsRest: () => boolean;
  /** A turn must end soon, though no client may have sent anything. */
  wantTurn: () => void;
  /** What the server has run so far. */
  commandsRun: () => number;
  /** Nothing but a rewrite from memory makes the log whole again. */
  wantRewrite: () => void;
  /** What follows the file with this sequence is a fresh one, or will be: those that were made to follow it are of no use. */
  restarted: (behind: number) => void;
  /** More is not gathered behind what is in flight (tests). */
  gatheredMaxBytes?: number;
  /** Runs what follows a sync or a write; what it throws ends the server. */
  guarded: (work: () => void) => void;
}
