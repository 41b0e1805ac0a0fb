/** The HTTP side: GET /metrics for Prometheus, /healthz while the process is up, /readyz once it serves. */

export interface HealthSource {
  /** False while the data is loaded, and from the beginning of the stop on. */
  isReady(): boolean;
  readonly metricsType: string;
  metrics(): Promise<string>;
}

export interface HealthServer {
  readonly port: number;
  stop(): void;
}

const plain = (text: string, status = 200): Response =>
  new Response(`${text}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8" } });

async function answer(path: string, source: HealthSource): Promise<Response> {
  switch (path) {
    case "/metrics":
      return new Response(await source.metrics(), {
        headers: { "content-type": source.metricsType },
      });
    case "/healthz":
      return plain("ok");
    case "/readyz":
      return source.isReady() ? plain("ready") : plain("not ready", 503);
    default:
      return plain("not found", 404);
  }
}

/** @throws Error if the address cannot be had */
export function serveHealth(hostname: string, port: number, source: HealthSource): HealthServer {
  const server = Bun.serve({
    hostname,
    port,
    fetch(request) {
      if (request.method !== "GET" && request.method !== "HEAD")
        return plain("method not allowed", 405);
      return answer(new URL(request.url).pathname, source);
    },
  });
  return { port: server.port ?? port, stop: () => void server.stop(true) };
}
