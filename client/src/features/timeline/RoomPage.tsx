import { useCallback, useEffect, useRef, useState } from "react";
import { useLocation } from "wouter";
import { failureText } from "../../failureText";
import { roomPath } from "../../routes";
import { Button } from "../../ui/Button";
import { Notice } from "../../ui/Notice";
import { words } from "../../words";
import { Composer } from "../composer/Composer";
import { useOutbox } from "../outbox/useOutbox";
import { RoomHeader } from "../rooms/RoomHeader";
import { type RoomSummary, useRoomSummary } from "../rooms/useRoomSummary";
import { useOpenPrivateRoom } from "../rooms/useRooms";
import { NotFoundPage } from "./NotFoundPage";
import styles from "./RoomPage.module.css";
import { Timeline, type TimelineHandle } from "./Timeline";
import { TimelineSkeleton } from "./TimelineSkeleton";
import { type Timeline as TimelineData, useTimeline } from "./useTimeline";

interface Props {
  roomId: string;
  viewerId: string;
}

export function RoomPage({ roomId, viewerId }: Props) {
  const timeline = useTimeline(roomId);
  const room = useRoomSummary(roomId, viewerId);
  if (timeline.status === "notFound") return <NotFoundPage />;
  return (
    <>
      <RoomHeader room={room} viewerId={viewerId} />
      {timeline.status === "loading" && <TimelineSkeleton />}
      {timeline.status === "failed" && (
        <Notice
          role="alert"
          heading={room === null ? "h1" : "h2"}
          title={words.timeline.failed}
          {...(timeline.failure && { lead: failureText(timeline.failure) })}
        >
          <Button onClick={timeline.retry}>{words.timeline.retry}</Button>
        </Notice>
      )}
      {timeline.status === "ready" && room !== null && (
        <Conversation room={room} viewerId={viewerId} timeline={timeline} />
      )}
    </>
  );
}

interface ConversationProps {
  room: RoomSummary;
  viewerId: string;
  timeline: TimelineData;
}

function Conversation({ room, viewerId, timeline }: ConversationProps) {
  const { send } = useOutbox();
  const openChat = useOpenChat();
  const timelineHandle = useRef<TimelineHandle>(null);
  const input = useRef<HTMLTextAreaElement>(null);

  // A keyboard on the screen would hide half of the room, so it comes when it is asked for.
  useEffect(() => {
    if (window.matchMedia("(hover: hover)").matches) input.current?.focus();
  }, []);

  return (
    <>
      {timeline.items.length === 0 && !timeline.hasOlder ? (
        <Notice title={words.timeline.empty} />
      ) : (
        <Timeline
          ref={timelineHandle}
          timeline={timeline}
          viewerId={viewerId}
          roomName={room.name}
          isPrivate={room.other !== null}
          onOpenChatWith={openChat.openWith}
        />
      )}
      {openChat.problem !== null && (
        <p role="alert" className={styles.problem}>
          {openChat.problem}
        </p>
      )}
      <Composer
        roomId={room.id}
        roomName={room.name}
        inputRef={input}
        onSend={(text) => {
          const isKept = send(room.id, text);
          timelineHandle.current?.goToEnd();
          return isKept;
        }}
      />
    </>
  );
}

function useOpenChat() {
  const openPrivateRoom = useOpenPrivateRoom();
  const [, navigate] = useLocation();
  const [problem, setProblem] = useState<string | null>(null);
  const openWith = useCallback(
    (userId: string) =>
      void openPrivateRoom(userId).then((opened) => {
        if ("roomId" in opened) navigate(roomPath(opened.roomId));
        else setProblem(failureText(opened));
      }),
    [openPrivateRoom, navigate],
  );
  return { openWith, problem };
}
