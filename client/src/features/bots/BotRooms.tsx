import type { FragmentType } from "@apollo/client";
import { useFragment, useMutation } from "@apollo/client/react";
import { Plus, X } from "lucide-react";
import { useRef, useState } from "react";
import { errorText } from "../../failureText";
import { graphql } from "../../gql";
import { Button } from "../../ui/Button";
import { Problem } from "../../ui/Problem";
import { words } from "../../words";
import { AddToRoomDialog } from "./AddToRoomDialog";
import styles from "./BotRooms.module.css";
import { REMOVE_BOT_FROM_ROOM } from "./queries";

export const BotRooms_bot = graphql(`
  fragment BotRooms_bot on Bot {
    id
    rooms(first: 100) {
      nodes { id name }
      pageInfo { hasNextPage }
    }
  }
`);

interface Props {
  bot: FragmentType<typeof BotRooms_bot>;
  username: string;
}

/** The public rooms that a bot is in, and ways in and out. */
export function BotRooms({ bot: ref, username }: Props) {
  const { data: bot, complete } = useFragment({ fragment: BotRooms_bot, from: ref });
  const [isAdding, setIsAdding] = useState(false);
  const addButton = useRef<HTMLButtonElement>(null);
  const [remove, { loading, error }] = useMutation(REMOVE_BOT_FROM_ROOM, {
    onCompleted: () => addButton.current?.focus(), // The button that had the focus is gone.
  });
  if (!complete) return null;
  const { nodes: rooms, pageInfo } = bot.rooms;
  return (
    <>
      <ul className={styles.rooms} aria-label={words.bots.rooms(username)}>
        {rooms.map(({ id, name }) => (
          <li key={id} className={styles.room}>
            <bdi>{name}</bdi>
            <button
              type="button"
              aria-label={words.bots.remove(username, name ?? "")}
              title={words.bots.remove(username, name ?? "")}
              aria-disabled={loading}
              onClick={() => loading || void remove({ variables: { botId: bot.id, roomId: id } })}
            >
              <X aria-hidden size={14} />
            </button>
          </li>
        ))}
        {rooms.length === 0 && <li className={styles.none}>{words.bots.noRooms}</li>}
        {pageInfo.hasNextPage && <li className={styles.none}>{words.bots.moreRooms}</li>}
      </ul>
      <Button
        ref={addButton}
        aria-haspopup="dialog"
        aria-label={words.bots.of(words.bots.add, username)}
        onClick={() => setIsAdding(true)}
      >
        <Plus aria-hidden size={16} />
        {words.bots.add}
      </Button>
      {error && <Problem>{errorText(error)}</Problem>}
      {isAdding && (
        <AddToRoomDialog
          botId={bot.id}
          username={username}
          isIn={(roomId) => rooms.some(({ id }) => id === roomId)}
          onClose={() => setIsAdding(false)}
        />
      )}
    </>
  );
}
