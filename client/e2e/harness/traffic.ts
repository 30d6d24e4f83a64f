import type { Page } from "playwright-core";
import { expect } from "vitest";
import { operationOf } from "./visitor";

/** What a page asks of the server, from now on. */
export class Traffic {
  /** Names of the operations that were asked for by POST. */
  readonly operations: string[] = [];
  /** Types of the messages that went out by WebSocket, without those that only keep it alive. */
  readonly sentBySocket: string[] = [];
  private readonly received: string[] = [];

  constructor(page: Page) {
    page.on("request", (request) => {
      const operation = operationOf(request);
      if (operation !== null) this.operations.push(operation);
    });
    page.on("websocket", (socket) => {
      socket.on("framesent", ({ payload }) => {
        const { type } = JSON.parse(String(payload)) as { type: string };
        if (type !== "ping" && type !== "pong") this.sentBySocket.push(type);
      });
      socket.on("framereceived", ({ payload }) => this.received.push(String(payload)));
    });
  }

  /** Resolves when the socket has brought something with this in it. */
  async hasReceived(text: string): Promise<void> {
    await expect.poll(() => this.received.some((payload) => payload.includes(text))).toBe(true);
  }
}
