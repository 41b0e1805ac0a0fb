/** `bun start`: a server that keeps its data, in ./data, unless told otherwise. */
import { main } from "./main.ts";

await main(process.argv.slice(2), { dir: "./data", appendonly: "yes" });
