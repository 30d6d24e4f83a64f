import { useEffect, useRef, useState } from "react";
import { calledName } from "../features/people/calledName";
import { useLiveMessages } from "../features/stream/useLiveMessages";
import { words } from "../words";

const pause = 1_000;
const longestText = 200;

/**
 * Reads new messages of others aloud: the only polite live region for them. What comes within a second is one
 * announcement, a single message with its words, several by their number.
 */
export function Announcer() {
  const [announcement, setAnnouncement] = useState({ number: 0, text: "" });
  const waiting = useRef<string[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  useLiveMessages((message) => {
    waiting.current.push(
      words.announce.message(calledName(message.sender), message.text.slice(0, longestText)),
    );
    timer.current ??= setTimeout(() => {
      const messages = waiting.current.splice(0);
      timer.current = undefined;
      const text =
        messages.length === 1 ? (messages[0] ?? "") : words.announce.burst(messages.length);
      setAnnouncement(({ number }) => ({ number: number + 1, text }));
    }, pause);
  });

  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );

  return (
    <div aria-live="polite" className="visually-hidden">
      {/* A new element each time: the same words are said again. */}
      <p key={announcement.number}>{announcement.text}</p>
    </div>
  );
}
