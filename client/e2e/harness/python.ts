import { join, resolve } from "node:path";

/** The repository. */
export const root = resolve(import.meta.dirname, "../../..");

/** The interpreter that has what the server needs. */
export const python = join(root, ".venv/bin/python");
