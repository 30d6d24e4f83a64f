import type { Reference } from "@apollo/client";
import { useMutation } from "@apollo/client/react";
import { useRef, useState } from "react";
import { toFailure } from "../../failure";
import { Field } from "../../ui/Field";
import { words } from "../../words";
import { type BotErrors, errorsOfBot, errorsOfCreating } from "./botErrors";
import { CREATE_BOT } from "./queries";
import { allScopes, ScopesField } from "./ScopesField";
import { TokenDialog } from "./TokenDialog";

export function CreateBotDialog({ onClose }: { onClose(): void }) {
  const [username, setUsername] = useState("");
  const [scopes, setScopes] = useState(allScopes);
  const [errors, setErrors] = useState<BotErrors>({});
  const usernameInput = useRef<HTMLInputElement>(null);
  const [create, { data, loading }] = useMutation(CREATE_BOT, {
    update(cache, { data }) {
      if (!data) return;
      const { bot } = data.createBot;
      cache.modify<{ bots: readonly Reference[] }>({
        fields: { bots: (known, { toReference }) => known.concat(toReference(bot) ?? []) },
      });
    },
  });

  async function submit() {
    let found = errorsOfBot(username, scopes);
    if (found === null) {
      const variables = { username, scopes: [...scopes] };
      const failure = await create({ variables }).then(() => null, toFailure);
      if (failure === null) return;
      found = errorsOfCreating(failure);
    }
    setErrors(found);
    if (found.username !== undefined) usernameInput.current?.focus();
  }

  return (
    <TokenDialog
      title={words.bots.createTitle}
      lead={words.bots.createLead}
      initialFocus={usernameInput}
      submit={words.bots.createSubmit}
      isBusy={loading}
      problem={errors.form}
      token={data?.createBot.token}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <Field
        ref={usernameInput}
        label={words.bots.username}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        value={username}
        hint={words.bots.usernameHint}
        error={errors.username}
        onChange={({ target }) => {
          setUsername(target.value);
          setErrors({});
        }}
      />
      <ScopesField
        value={scopes}
        error={errors.scopes}
        onChange={(next) => {
          setScopes(next);
          setErrors({});
        }}
      />
    </TokenDialog>
  );
}
