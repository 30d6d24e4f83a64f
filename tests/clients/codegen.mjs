// Generates typed documents into the working directory from the schema of a running server, and
// the list of them for a server that only takes those.
import { generate } from "@graphql-codegen/cli";

await generate({
  cwd: process.cwd(),
  schema: process.argv[2],
  documents: ["operations.ts"],
  silent: true,
  errorsOnly: true,
  generates: {
    "./gql/": {
      preset: "client",
      presetConfig: { persistedDocuments: { hashAlgorithm: "sha256" } },
    },
  },
});
