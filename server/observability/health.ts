/**
 * The HTTP side: GET /metrics for Prometheus, /healthz while the process is up, /readyz once it serves. On the address and port of
 * `metrics-bind` and `metrics-port`, which may change at any time.
 */
import type { CommandContext } from "../commands/context.ts";

export interface HealthSource {
  /** What metrics are made of. */
  readonly context: CommandContext;
  /** False while the data is loaded, and from the beginning of the stop on. */
  isReady(): boolean;
}

type Answer = (path: string) => Promise<Response>;

const plain = (text: string, status = 200): Response =>
  new Response(`${text}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8" } });

function answerer({ context, isReady }: HealthSource): Answer {
  // Only who asks for metrics waits for their library.
  const loaded = () => import("./metrics.ts").then(({ Metrics }) => new Metrics(context));
  let metrics: ReturnType<typeof loaded> | undefined;
  return async (path) => {
    switch (path) {
      case "/metrics": {
        metrics ??= loaded();
        const { contentType, text } = await (await metrics).scrape();
        return new Response(text, { headers: { "content-type": contentType } });
      }
      case "/healthz":
        return plain("ok");
      case "/readyz":
        return isReady() ? plain("ready") : plain("not ready", 503);
      default:
        return plain("not found", 404);
    }
  };
}

export class Health {
  private server: ReturnType<typeof Bun.serve> | undefined;
  private readonly answer: Answer;

  constructor(private readonly source: HealthSource) {
    this.answer = answerer(source);
    source.context.config.applyWith(["metrics-port", "metrics-bind"], () => {
      try {
        this.open();
        return undefined;
      } catch (error) {
        return `Unable to serve metrics there: ${(error as Error).message}`;
      }
    });
  }

  /** Answers where the directives say, and no longer elsewhere. @throws Error if the address cannot be had */
  open(): void {
    this.stop();
    const { config } = this.source.context;
    const port = config.get("metrics-port");
    if (port === 0) return;
    this.server = Bun.serve({
      hostname: config.get("metrics-bind"),
      port,
      fetch: ({ method, url }) =>
        method === "GET" || method === "HEAD"
          ? this.answer(new URL(url).pathname)
          : plain("method not allowed", 405),
    });
  }

  stop(): void {
    this.server?.stop(true);
    this.server = undefined;
  }
}
