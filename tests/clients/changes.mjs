// What graphql-inspector finds changed from the first schema to the second, as JSON.
import { readFile } from "node:fs/promises";
import { diff } from "@graphql-inspector/core";
import { buildSchema } from "graphql";

const [before, after] = await Promise.all(
  process.argv.slice(2, 4).map(async (path) => buildSchema(await readFile(path, "utf8"))),
);
const changes = await diff(before, after);
console.log(
  JSON.stringify(
    changes.map(({ criticality, path, message }) => ({ level: criticality.level, path, message })),
  ),
);
