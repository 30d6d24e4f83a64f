import type { FragmentType } from "@apollo/client";
import { useFragment } from "@apollo/client/react";
import { graphql } from "../../gql";
import { Avatar } from "../../ui/Avatar";
import { BotMark } from "../../ui/BotMark";
import { shortTime } from "../../ui/clock";
import { PickItem } from "../../ui/PickList";
import { useToday } from "../../ui/useToday";
import { words } from "../../words";
import { OnlineDot } from "../presence/OnlineDot";

export const Person_user = graphql(`
  fragment Person_user on User {
    id
    username
    isBot
    online
    lastSeenAt
  }
`);

interface Props {
  person: FragmentType<typeof Person_user>;
  onChoose(userId: string): void;
}

export function PersonButton({ person: ref, onChoose }: Props) {
  const today = useToday();
  const { data: person, complete } = useFragment({ fragment: Person_user, from: ref });
  if (!complete) return null;
  return (
    <PickItem
      name={person.username}
      face={
        <Avatar name={person.username}>
          <OnlineDot online={person.online} />
        </Avatar>
      }
      mark={person.isBot && <BotMark />}
      note={
        !person.online &&
        person.lastSeenAt !== null &&
        words.presence.lastSeen(shortTime(person.lastSeenAt, today))
      }
      onPick={() => onChoose(person.id)}
    />
  );
}
