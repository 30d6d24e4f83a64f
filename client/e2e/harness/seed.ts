import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { python, root } from "./python";

/** A message as the other servers of the demo write it; `date` in seconds. */
export interface Said {
  from: string;
  date: number;
  message: string;
  roomId: string;
}

/** Fills the store of a folder with the demo's users and these messages. */
export async function seed(folder: string, history: Iterable<Said>): Promise<void> {
  const child = spawn(python, [join(import.meta.dirname, "seed.py"), folder], {
    env: { PATH: process.env.PATH, PYTHONPATH: root },
    stdio: ["pipe", "inherit", "inherit"],
  });
  const exit = once(child, "exit");
  await pipeline(Readable.from(lines(history)), child.stdin);
  const [status] = await exit;
  if (status !== 0) throw new Error(`The store could not be filled: status ${status}.`);
}

function* lines(history: Iterable<Said>): Generator<string> {
  for (const said of history) yield `${JSON.stringify(said)}\n`;
}
