// GraphQL over HTTP, by the specification's public audits.
import { auditServer } from "graphql-http";

const results = await auditServer({ url: `${process.env.BASE_URL}/graphql` });
for (const { status, name, reason } of results) {
  if (status !== "ok") console.error(`${status}: ${name}: ${reason}`);
}
const passed = results.filter(({ status }) => status === "ok").length;
console.log(`${passed} of ${results.length} audits are ok.`);
if (passed < results.length || !passed) process.exitCode = 1;
