import { words } from "../words";
import { Mark } from "./Mark";

/** Says beside a name that it is a program's. */
export function BotMark() {
  return <Mark>{words.bot.mark}</Mark>;
}
