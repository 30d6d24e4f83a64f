import { useQuery } from "@apollo/client/react";
import { Plus } from "lucide-react";
import { useRef, useState } from "react";
import { Button } from "../../ui/Button";
import { words } from "../../words";
import { Cards } from "../settings/Cards";
import { SettingsSection } from "../settings/SettingsSection";
import { BotCard } from "./BotCard";
import styles from "./BotsSection.module.css";
import { CreateBotDialog } from "./CreateBotDialog";
import { BOTS } from "./queries";

/** The accounts of one's programs: the list, and a new one. */
export function BotsSection() {
  const query = useQuery(BOTS, { fetchPolicy: "cache-and-network" });
  const bots = query.data?.bots ?? [];
  const heading = useRef<HTMLHeadingElement>(null);
  const [isCreating, setIsCreating] = useState(false);
  return (
    <SettingsSection
      title={words.bots.title}
      lead={words.bots.lead}
      query={query}
      headingRef={heading}
      action={
        <Button aria-haspopup="dialog" onClick={() => setIsCreating(true)}>
          <Plus aria-hidden size={16} />
          {words.bots.create}
        </Button>
      }
    >
      {bots.length === 0 && <p className={styles.none}>{words.bots.none}</p>}
      {bots.length > 0 && (
        <Cards>
          {bots.map((bot) => (
            <BotCard key={bot.id} bot={bot} onDeleted={() => heading.current?.focus()} />
          ))}
        </Cards>
      )}
      {isCreating && <CreateBotDialog onClose={() => setIsCreating(false)} />}
    </SettingsSection>
  );
}
