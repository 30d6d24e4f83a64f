import type { FragmentType } from "@apollo/client";
import { useFragment } from "@apollo/client/react";
import { useState } from "react";
import { graphql } from "../../gql";
import type { BotCard_BotFragment } from "../../gql/graphql";
import { Avatar } from "../../ui/Avatar";
import { Button } from "../../ui/Button";
import { shortTime } from "../../ui/clock";
import { useToday } from "../../ui/useToday";
import { words } from "../../words";
import { OnlineDot } from "../presence/OnlineDot";
import { Card } from "../settings/Cards";
import { BotRooms } from "./BotRooms";
import { DeleteBotDialog } from "./DeleteBotDialog";
import { RevokeTokenDialog } from "./RevokeTokenDialog";
import { RotateTokenDialog } from "./RotateTokenDialog";

export const BotCard_bot = graphql(`
  fragment BotCard_bot on Bot {
    id
    user { id username online }
    scopes
    tokenIssuedAt
    lastUsedAt
    ...BotRooms_bot
  }
`);

type Action = "rotate" | "revoke" | "delete";

interface Props {
  bot: FragmentType<typeof BotCard_bot>;
  onDeleted(): void;
}

export function BotCard({ bot: ref, onDeleted }: Props) {
  const today = useToday();
  const [asking, setAsking] = useState<Action | null>(null);
  const { data: bot, complete } = useFragment({
    fragment: BotCard_bot,
    fragmentName: "BotCard_bot",
    from: ref,
  });
  if (!complete) return null;
  const { username, online } = bot.user;
  const actions: Action[] =
    bot.tokenIssuedAt === null ? ["rotate", "delete"] : ["rotate", "revoke", "delete"];
  const dialog = { botId: bot.id, username, scopes: bot.scopes, onClose: () => setAsking(null) };
  return (
    <Card
      face={
        <Avatar name={username}>
          <OnlineDot online={online} />
        </Avatar>
      }
      title={<bdi>{username}</bdi>}
      detail={tokenText(bot, today)}
    >
      <BotRooms bot={bot} username={username} />
      {actions.map((action) => (
        <Button
          key={action}
          aria-haspopup="dialog"
          aria-label={words.bots.of(words.bots[action], username)}
          onClick={() => setAsking(action)}
        >
          {words.bots[action]}
        </Button>
      ))}
      {asking === "rotate" && <RotateTokenDialog {...dialog} />}
      {asking === "revoke" && <RevokeTokenDialog {...dialog} />}
      {asking === "delete" && <DeleteBotDialog {...dialog} onDeleted={onDeleted} />}
    </Card>
  );
}

function tokenText({ scopes, tokenIssuedAt, lastUsedAt }: BotCard_BotFragment, today: Date) {
  if (tokenIssuedAt === null || lastUsedAt === null) return words.bots.tokenless;
  const [issued, used] = [shortTime(tokenIssuedAt, today), shortTime(lastUsedAt, today)];
  return words.bots.token(scopes, issued, used);
}
