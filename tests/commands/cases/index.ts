/** Every command case. */
import { expireCases } from "./expire.ts";
import { genericCases } from "./generic.ts";
import { renameCases } from "./rename.ts";
import { scanCases } from "./scan.ts";
import { serverCases } from "./server.ts";
import { setCases } from "./set.ts";
import { stringCases } from "./string.ts";

export const allCases = [
  ...setCases,
  ...stringCases,
  ...expireCases,
  ...genericCases,
  ...renameCases,
  ...scanCases,
];

/** Cases of commands that the core does not own: they need the whole server. */
export const wholeServerCases = [...serverCases];
