import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { python, root } from "./python";
import { type Said, seed } from "./seed";

const START_MILLISECONDS = 60_000;

/** A real server process on a store of its own, which stays the same over restarts. */
export class Server {
  private process: ChildProcess | null = null;
  private output = "";
  // Short, because it holds the store's socket.
  private readonly folder = mkdtempSync(join(tmpdir(), "parley-e2e-"));

  private constructor(
    private readonly port: number,
    private readonly settings: Record<string, string>,
  ) {
    process.once("exit", this.endNow);
  }

  /** With `history`, the store is as another server of the demo would have left it. */
  static async start(
    history: readonly Said[] = [],
    settings: Record<string, string> = {},
  ): Promise<Server> {
    if (!existsSync(join(root, "client/dist/index.html"))) {
      throw new Error("The client is not built: `npm run build`.");
    }
    const server = new Server(await freePort(), settings);
    try {
      if (history.length > 0) await seed(server.folder, history);
      await server.start();
    } catch (error) {
      await server.end();
      throw error;
    }
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Resolves when it serves. */
  async start(): Promise<void> {
    const child = spawn(python, ["-m", "application"], {
      // Not in the checkout: the developer's own `.env` is none of the tests' business.
      cwd: this.folder,
      env: {
        PATH: process.env.PATH,
        PYTHONPATH: root,
        PYTHONUNBUFFERED: "1",
        PORT: String(this.port),
        DATA_DIR: this.folder,
        // Everybody here comes from one address, and does much at once.
        RATE_LIMITS: "off",
        ...this.settings,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.process = child;
    child.stderr.on("data", (data) => this.keep(String(data)));
    await new Promise<void>((resolve, reject) => {
      const fail = () => reject(new Error(`The server does not serve:\n${this.output}`));
      const limit = setTimeout(fail, START_MILLISECONDS);
      child.once("exit", fail);
      createInterface(child.stdout).on("line", (line) => {
        this.keep(`${line}\n`);
        if (!line.includes("Web page")) return;
        clearTimeout(limit);
        resolve();
      });
    });
  }

  /** As a crash does. */
  async kill(): Promise<void> {
    await this.signal("SIGKILL");
  }

  /** As an operator does. */
  async stop(): Promise<void> {
    await this.signal("SIGTERM");
  }

  /** The store dies; the server launches it anew. */
  killStore(): void {
    const pid = this.storePid();
    if (pid === null) throw new Error("There is no store to kill.");
    process.kill(pid, "SIGKILL");
  }

  /** For good: nothing of it remains. */
  async end(): Promise<void> {
    if (this.process) await this.stop();
    this.endNow();
    process.off("exit", this.endNow);
  }

  private async signal(name: NodeJS.Signals): Promise<void> {
    const child = this.process;
    this.process = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill(name);
    await exit;
  }

  /** A server that was killed, or could not start, leaves its store behind. */
  private readonly endNow = () => {
    this.process?.kill("SIGKILL");
    const pid = this.storePid();
    if (pid !== null && isRunning(pid)) process.kill(pid, "SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  };

  private storePid(): number | null {
    const file = join(this.folder, "valkey.pid");
    const pid = existsSync(file) ? Number.parseInt(readFileSync(file, "utf8"), 10) : Number.NaN;
    return Number.isNaN(pid) ? null : pid;
  }

  private keep(text: string): void {
    this.output = (this.output + text).slice(-10_000);
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/**
 * Not one that the system gives out by itself: while a server is away, its port could become the
 * own end of somebody's connection.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
