/** From spawning an empty server to its first PONG. */
import { type Section, showSpread, spreadOf, table } from "./report.ts";
import { startServer } from "./server-process.ts";

export async function measureStart(rounds: number): Promise<Section> {
  const rows: string[][] = [];
  for (const name of ["redis-server", "bundis"] as const) {
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const server = await startServer(name);
      times.push(server.startMs);
      await server.stop();
    }
    rows.push([name, showSpread(spreadOf(times), 0)]);
  }
  for (const row of rows) console.log(row.join("  "));
  return {
    title: "Start to first PONG",
    body: `Empty, ${rounds} starts.\n\n${table(["server", "ms"], rows)}`,
  };
}
