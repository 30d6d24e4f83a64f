// The documented environment with the compiled documents.
import { ConnectionHandler, commitMutation, fetchQuery, requestSubscription } from "relay-runtime";
import eventsSubscription from "./__generated__/documentsEventsSubscription.graphql.js";
import presentQuery from "./__generated__/documentsPresentQuery.graphql.js";
import sendMutation from "./__generated__/documentsSendMutation.graphql.js";
import { environment } from "./relay.mjs";
import { show } from "./parley.mjs";

const { eventCursor } = await fetchQuery(environment, presentQuery, {}).toPromise();
requestSubscription(environment, {
  subscription: eventsSubscription,
  variables: { after: eventCursor },
  onNext: ({ events }) => show(events),
  onError: console.error,
});
const connection = ConnectionHandler.getConnectionID("room:0", "documents_messages");
commitMutation(environment, {
  mutation: sendMutation,
  variables: {
    input: { roomId: "room:0", text: "Hello from Relay" },
    connections: [connection],
  },
  onCompleted() {
    const edges = environment.getStore().getSource().get(connection).edges.__refs;
    console.log(`The connection has ${edges.length} edges.`);
  },
  onError: console.error,
});
