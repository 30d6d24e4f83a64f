// The schema named on the command line, by the rules for schemas of graphql-eslint: what it
// recommends, and what Relay asks for.
import { dirname, resolve } from "node:path";
import graphql from "@graphql-eslint/eslint-plugin";
import { ESLint } from "eslint";

/** Where the rules leave a choice, and `username`, which is what everybody calls it. */
const OURS = {
  "@graphql-eslint/no-typename-prefix": "off",
  "@graphql-eslint/relay-arguments": ["error", { includeBoth: false }],
  "@graphql-eslint/relay-edge-types": [
    "error",
    { listTypeCanWrapOnlyEdgeType: false, shouldImplementNode: true, withEdgeSuffix: true },
  ],
  "@graphql-eslint/strict-id-in-types": [
    "error",
    {
      exceptions: {
        // What happens to records is no record itself.
        types: ["CaughtUp", "MessageAdded", "PageInfo", "PresenceChanged", "RoomAdded"],
        suffixes: ["Connection", "Edge", "Payload"],
      },
    },
  ],
};

const schema = resolve(process.argv[2]);
const configs = graphql.configs;
const eslint = new ESLint({
  cwd: dirname(schema),
  overrideConfigFile: true,
  overrideConfig: {
    files: ["**/*.graphql"],
    languageOptions: {
      parser: graphql.parser,
      parserOptions: { graphQLConfig: { schema } },
    },
    plugins: { "@graphql-eslint": graphql },
    rules: {
      ...configs["flat/schema-recommended"].rules,
      ...configs["flat/schema-relay"].rules,
      ...OURS,
    },
  },
});

const results = await eslint.lintFiles(schema);
console.log((await eslint.loadFormatter("stylish")).format(results) || "Nothing to complain of.");
if (results.some(({ messages }) => messages.length)) process.exitCode = 1;
