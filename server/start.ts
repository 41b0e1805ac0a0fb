/** `bun start`: a server that keeps its data, in ./data, unless told otherwise. */
import { mkdirSync } from "node:fs";
import { main } from "./main.ts";

const DIRECTORY = "./data";

mkdirSync(DIRECTORY, { recursive: true });
await main(process.argv.slice(2), { dir: DIRECTORY, appendonly: "yes" });
