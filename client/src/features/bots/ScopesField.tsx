import { useId } from "react";
import type { BotScope } from "../../gql/graphql";
import { words } from "../../words";
import styles from "./ScopesField.module.css";

export const allScopes: readonly BotScope[] = ["READ", "SEND"];

interface Props {
  value: readonly BotScope[];
  error: string | undefined;
  onChange(scopes: BotScope[]): void;
}

export function ScopesField({ value, error, onChange }: Props) {
  const id = useId();
  return (
    <fieldset className={styles.field} aria-describedby={`${id}-error`}>
      <legend>{words.bots.scopes}</legend>
      {allScopes.map((scope) => (
        <div key={scope}>
          <label className={styles.scope}>
            <input
              type="checkbox"
              aria-describedby={`${id}-${scope}`}
              checked={value.includes(scope)}
              onChange={({ target }) => onChange(withScope(value, scope, target.checked))}
            />
            {words.bots.scope[scope]}
          </label>
          <p id={`${id}-${scope}`} className={styles.hint}>
            {words.bots.scopeHint[scope]}
          </p>
        </div>
      ))}
      <p
        id={`${id}-error`}
        role={error === undefined ? undefined : "alert"}
        className={styles.error}
      >
        {error}
      </p>
    </fieldset>
  );
}

function withScope(value: readonly BotScope[], scope: BotScope, isIn: boolean): BotScope[] {
  return allScopes.filter((each) => (each === scope ? isIn : value.includes(each)));
}
