import { useMutation } from "@apollo/client/react";
import { errorText } from "../../failureText";
import { Dialog } from "../../ui/Dialog";
import { PickItem, PickList } from "../../ui/PickList";
import { Problem } from "../../ui/Problem";
import { words } from "../../words";
import { PublicFace } from "../rooms/PublicFace";
import { usePublicRooms } from "../rooms/usePublicRooms";
import styles from "./BotsSection.module.css";
import { ADD_BOT_TO_ROOM } from "./queries";

interface Props {
  botId: string;
  username: string;
  isIn(roomId: string): boolean;
  onClose(): void;
}

/** The public rooms that a bot is not in. */
export function AddToRoomDialog({ botId, username, isIn, onClose }: Props) {
  const rooms = usePublicRooms().filter(({ id }) => !isIn(id));
  const [add, { loading, error }] = useMutation(ADD_BOT_TO_ROOM, { onCompleted: onClose });
  return (
    <Dialog title={words.bots.addTitle(username)} lead={words.bots.addLead} onClose={onClose}>
      {error && <Problem>{errorText(error)}</Problem>}
      <PickList label={words.rooms.title}>
        {rooms.map(({ id, name }) => (
          <PickItem
            key={id}
            name={name}
            face={<PublicFace />}
            onPick={() => loading || void add({ variables: { botId, roomId: id } })}
          />
        ))}
      </PickList>
      {rooms.length === 0 && <p className={styles.none}>{words.bots.addNone}</p>}
    </Dialog>
  );
}
