import type { Failure } from "../../failure";
import type { BotScope } from "../../gql/graphql";
import { words } from "../../words";
import { errorOfUsername, errorsOfFailure } from "../session/formErrors";

/** What is wrong, in words, at the place where it is wrong. */
export interface BotErrors {
  username?: string;
  scopes?: string;
  form?: string;
}

export function errorsOfBot(username: string, scopes: readonly BotScope[]): BotErrors | null {
  const error = errorOfUsername(username);
  if (error !== null) return { username: error };
  if (scopes.length === 0) return { scopes: words.bots.scopesMissing };
  return null;
}

export function errorsOfCreating(failure: Failure): BotErrors {
  // Whoever may create a bot at all has enough of them.
  if (failure.code === "FORBIDDEN") return { form: words.bots.tooMany };
  return errorsOfFailure(failure, true);
}
