// Generates typed documents into the working directory, and the list of them for the server.
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
