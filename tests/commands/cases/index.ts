/** Every command case. */
import { bitfieldCases } from "./bitfield.ts";
import { bitmapCases } from "./bitmap.ts";
import { connectionCases } from "./connection.ts";
import { debugCases, debugServerCases } from "./debug.ts";
import { expireCases } from "./expire.ts";
import { genericCases } from "./generic.ts";
import { geoCases } from "./geo.ts";
import { hashDeadlineCases } from "./hash-deadlines.ts";
import { hashCases } from "./hashes.ts";
import { hyperLogLogCases } from "./hyperloglog.ts";
import { lcsCases } from "./lcs.ts";
import { listCases } from "./lists.ts";
import { objectServerCases, renameCases } from "./rename.ts";
import { scanCases } from "./scan.ts";
import { serverCases } from "./server.ts";
import { setCases } from "./set.ts";
import { setFamilyCases } from "./set-family.ts";
import { setsCases } from "./sets.ts";
import { sortCases } from "./sort.ts";
import { sortedSetCases } from "./sorted-sets.ts";
import { streamCases } from "./streams.ts";
import { stringCases } from "./string.ts";
import { stringPartCases } from "./string-parts.ts";

export const allCases = [
  ...listCases,
  ...setCases,
  ...setFamilyCases,
  ...setsCases,
  ...hashCases,
  ...sortedSetCases,
  ...hashDeadlineCases,
  ...geoCases,
  ...streamCases,
  ...stringCases,
  ...stringPartCases,
  ...lcsCases,
  ...hyperLogLogCases,
  ...bitmapCases,
  ...bitfieldCases,
  ...expireCases,
  ...genericCases,
  ...renameCases,
  ...scanCases,
  ...sortCases,
  ...debugCases,
];

/** Cases of commands that the core does not own: they need the whole server. */
export const wholeServerCases = [
  ...serverCases,
  ...connectionCases,
  ...objectServerCases,
  ...debugServerCases,
];
