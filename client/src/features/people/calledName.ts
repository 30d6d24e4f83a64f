import { words } from "../../words";

/** A user's name where there is no place for a mark. */
export function calledName({ username, isBot }: { username: string; isBot: boolean }): string {
  return isBot ? words.bot.named(username) : username;
}
