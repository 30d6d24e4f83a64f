// Apollo Client and urql: automatic persisted queries by POST and GET, and Apollo's batches.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { BatchHttpLink } from "@apollo/client/link/batch-http";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { Client, fetchExchange } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";

const url = `${process.env.BASE_URL}/graphql`;
const sha256 = async (text) => createHash("sha256").update(text).digest("hex");

/** What a client has asked: the method of each request, and whether the text came along. */
let asked = [];
async function fetchAndNote(input, init) {
  const { method = "GET", body } = init;
  const given = body ? JSON.parse(body) : Object.fromEntries(new URL(input).searchParams);
  asked.push(`${method} ${given.query ? "text" : "hash"}`);
  return fetch(input, init);
}

async function check(who, ask, expected) {
  for (const requests of expected) {
    asked = [];
    assert.equal(await ask(), null, `${who}: nobody is logged in`);
    assert.deepEqual(asked, requests, who);
  }
}

for (const useGETForHashedQueries of [false, true]) {
  const method = useGETForHashedQueries ? "GET" : "POST";
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.from([
      new PersistedQueryLink({ sha256, useGETForHashedQueries }),
      new HttpLink({ uri: url, fetch: fetchAndNote }),
    ]),
  });
  const query = gql(`query ApolloBy${method} { me { id } }`);
  const ask = async () => (await client.query({ query, fetchPolicy: "no-cache" })).data.me;
  await check("Apollo", ask, [[`${method} hash`, "POST text"], [`${method} hash`]]);
}

for (const preferGetForPersistedQueries of [false, true]) {
  const method = preferGetForPersistedQueries ? "GET" : "POST";
  const client = new Client({
    url,
    fetch: fetchAndNote,
    preferGetMethod: false,
    exchanges: [persistedExchange({ preferGetForPersistedQueries }), fetchExchange],
  });
  const ask = async () => {
    const { data, error } = await client.query(`query UrqlBy${method} { me { id } }`, {});
    if (error) throw error;
    return data.me;
  };
  await check("urql", ask, [[`${method} hash`, `${method} text`], [`${method} hash`]]);
}

const batching = new ApolloClient({
  cache: new InMemoryCache(),
  link: new BatchHttpLink({ uri: url, batchMax: 2, batchInterval: 50 }),
});
const answers = await Promise.allSettled([
  batching.query({ query: gql(`{ me { id } }`), errorPolicy: "all" }),
  batching.query({ query: gql(`{ eventCursor }`), errorPolicy: "all" }),
]);
const [me, cursor] = answers.map(({ value }) => value);
assert.equal(me.data.me, null);
assert.equal(cursor.error.errors[0].extensions.code, "UNAUTHENTICATED");
console.log("As expected.");
