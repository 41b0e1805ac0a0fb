/** oom-score-adj: how readily the kernel kills this process when memory runs out. */
import { readFileSync, writeFileSync } from "node:fs";
import type { Config } from "../config/config.ts";
import { systemErrorText } from "../config/rules.ts";
import type { Logger } from "../observability/log.ts";

const PATH = "/proc/self/oom_score_adj";
const LIMIT = 1000;

/** Keeps the kernel's value as the directives say, now and when they change; "no" puts back what there was. */
export function applyOomScore(config: Config, logger: Logger): void {
  let base: number | undefined;
  const apply = (): string | undefined => {
    const mode = config.get("oom-score-adj");
    if (mode === "no" && base === undefined) return undefined;
    try {
      base ??= Number(readFileSync(PATH, "latin1"));
      const [forPrimary = 0] = config.get("oom-score-adj-values");
      const wanted = mode === "no" ? base : mode === "absolute" ? forPrimary : base + forPrimary;
      writeFileSync(PATH, String(Math.max(-LIMIT, Math.min(LIMIT, wanted))));
      // From here on it is the system's again, until the next time.
      if (mode === "no") base = undefined;
      return undefined;
    } catch (error) {
      logger.warning(`Unable to write oom_score_adj: ${systemErrorText(error)}`);
      return "Failed to set current oom_score_adj. Check server logs.";
    }
  };
  apply();
  config.applyWith(["oom-score-adj", "oom-score-adj-values"], apply);
}
