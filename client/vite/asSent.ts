import { ApolloClient, ApolloLink } from "@apollo/client";
import { type DocumentNode, getOperationAST, OperationTypeNode, print } from "graphql";
import { EMPTY } from "rxjs";
import { createCache } from "../src/apollo/cache";
import * as generated from "../src/gql/graphql";

/** The operations of the client, to the letter in which Apollo sends them. */
export async function documentsAsSent(): Promise<string[]> {
  const texts: string[] = [];
  const link = new ApolloLink(({ query }) => {
    texts.push(print(query));
    return EMPTY;
  });
  const client = new ApolloClient({ cache: createCache(), dataMasking: true, link });
  for (const document of Object.values(generated) as DocumentNode[]) {
    await ask(client, document);
  }
  return texts;
}

async function ask(client: ApolloClient, document: DocumentNode): Promise<void> {
  const type = getOperationAST(document)?.operation;
  if (type === OperationTypeNode.SUBSCRIPTION) {
    client.subscribe({ query: document }).subscribe({});
  } else if (type !== undefined) {
    const answer =
      type === OperationTypeNode.QUERY
        ? client.query({ query: document, fetchPolicy: "no-cache" })
        : client.mutate({ mutation: document, fetchPolicy: "no-cache" });
    await answer.catch(() => undefined); // There is none: nobody is asked.
  }
}
