import type { Failure } from "../../failure";
import { failureText } from "../../failureText";
import { words } from "../../words";
import type { Credentials } from "./session";

/** What is wrong, in words, at the place where it is wrong. */
export interface FormErrors {
  username?: string;
  password?: string;
  form?: string;
}

const longestUsername = 32;

export function errorsOfInput({ username, password }: Credentials): FormErrors | null {
  const error = errorOfUsername(username);
  if (error !== null) return { username: error };
  if (password === "") return { password: words.fields.passwordMissing };
  return null;
}

export function errorOfUsername(username: string): string | null {
  if (username.trim() === "") return words.fields.usernameMissing;
  if ([...username].length > longestUsername) return words.fields.usernameTooLong;
  return null;
}

export function errorsOfFailure(failure: Failure, isNew: boolean): FormErrors {
  if (isNew && failure.code === "CONFLICT") return { username: words.failures.nameTaken };
  if (!isNew && failure.code === "UNAUTHENTICATED")
    return { password: words.failures.wrongCredentials };
  if (failure.code === "BAD_USER_INPUT") {
    // The server knows best what it does not accept, and says so in a sentence.
    if (failure.field === "input.username") return { username: failure.message };
    if (failure.field === "input.password") return { password: failure.message };
  }
  return { form: failureText(failure) };
}
