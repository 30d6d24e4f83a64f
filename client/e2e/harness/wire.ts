import { once } from "node:events";
import { connect, createServer, type Server as Listener, type Socket } from "node:net";

/** A way to the server that can be broken without the server noticing. */
export class Wire {
  private readonly sockets = new Set<Socket>();
  private isDead = false;

  private constructor(
    private readonly listener: Listener,
    private readonly target: URL,
  ) {
    listener.on("connection", (near) => this.join(near));
  }

  static async to(url: string): Promise<Wire> {
    const listener = createServer().listen(0, "127.0.0.1");
    await once(listener, "listening");
    return new Wire(listener, new URL(url));
  }

  get url(): string {
    const address = this.listener.address();
    if (address === null || typeof address === "string") throw new Error("The wire is closed.");
    return `http://127.0.0.1:${address.port}`;
  }

  /** Nothing comes through any more, and nobody is told. */
  die(): void {
    this.isDead = true;
    for (const socket of this.sockets) socket.unpipe().pause();
  }

  /** What hung on the dead wire is gone; what comes now gets through. */
  mend(): void {
    this.isDead = false;
    this.cut();
  }

  /** Breaks all connections; new ones get through. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  close(): void {
    this.listener.close();
    this.cut();
  }

  private join(near: Socket): void {
    this.keep(near);
    if (this.isDead) return;
    const far = connect(Number(this.target.port), this.target.hostname);
    this.keep(far);
    near.pipe(far).pipe(near);
    near.once("close", () => far.destroy());
    far.once("close", () => near.destroy());
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.sockets.delete(socket));
  }
}
