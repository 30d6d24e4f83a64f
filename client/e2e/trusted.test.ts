import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect } from "vitest";
import { testWith } from "./harness/test";

const folder = mkdtempSync(join(tmpdir(), "parley-e2e-trusted-"));
afterAll(() => rmSync(folder, { recursive: true }));
const list = join(folder, "documents.json");
writeFileSync(list, "{}");

const test = testWith([], { TRUSTED_DOCUMENTS: list });

test("a server that only takes trusted documents takes those of its client", async ({
  visit,
  server,
}) => {
  const refused = await fetch(`${server.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: "{ me { id } }" }),
  });
  expect(await refused.json()).toMatchObject({ errors: [{ extensions: { code: "FORBIDDEN" } }] });

  const mary = await visit();
  await mary.logIn("Mary");
  await mary.heading("General").waitFor();
  await mary.say("Trust me");
  const pablo = await visit();
  await pablo.logIn("Pablo");
  await pablo.row("Trust me").waitFor();
  await pablo.say("I do");
  await mary.row("I do").waitFor();
});
