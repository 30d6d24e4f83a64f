import { Eye, EyeOff } from "lucide-react";
import { type FormEvent, useRef, useState } from "react";
import { ThemeSwitch } from "../../theme/ThemeSwitch";
import { Avatar } from "../../ui/Avatar";
import { Button } from "../../ui/Button";
import { Field } from "../../ui/Field";
import { IconButton } from "../../ui/IconButton";
import { ProjectLink } from "../../ui/ProjectLink";
import { words } from "../../words";
import { demoPassword, demoUsers, hasDemoUsers } from "./demo";
import { errorsOfFailure, errorsOfInput, type FormErrors } from "./formErrors";
import styles from "./LogInPage.module.css";
import { mayRegister } from "./registration";
import { type Credentials, type SignedOutReason, useLogIn, useRegister } from "./useSession";

interface Props {
  reason: SignedOutReason;
}

export function LogInPage({ reason }: Props) {
  const [mode, setMode] = useState<"logIn" | "register">("logIn");
  const isNew = mode === "register";
  return (
    <div className={styles.page}>
      <header className={styles.bar}>
        <ProjectLink />
        <ThemeSwitch />
      </header>
      <main>
        <div className={styles.card}>
          <div className={styles.brand}>
            <img src="/icon.svg" alt="" />
            <div>
              <h1>{isNew ? words.register.title : words.logIn.title}</h1>
              <p>{leadText(isNew)}</p>
            </div>
          </div>
          {reason !== "none" && !isNew && (
            <p role="status" className={styles.notice}>
              {words.logIn[reason]}
            </p>
          )}
          <CredentialsForm key={mode} isNew={isNew} />
          {mayRegister() && (
            <button
              type="button"
              className={styles.other}
              onClick={() => setMode(isNew ? "logIn" : "register")}
            >
              {isNew ? words.register.toLogIn : words.logIn.toRegister}
            </button>
          )}
        </div>
      </main>
    </div>
  );
}

function leadText(isNew: boolean): string {
  if (isNew) return words.register.lead;
  return hasDemoUsers() ? words.logIn.demoLead : words.logIn.lead;
}

function CredentialsForm({ isNew }: { isNew: boolean }) {
  const [logIn, isLoggingIn] = useLogIn();
  const [register, isRegistering] = useRegister();
  const [credentials, setCredentials] = useState<Credentials>({ username: "", password: "" });
  const [errors, setErrors] = useState<FormErrors>({});
  const usernameInput = useRef<HTMLInputElement>(null);
  const passwordInput = useRef<HTMLInputElement>(null);
  const submitButton = useRef<HTMLButtonElement>(null);
  const isBusy = isLoggingIn || isRegistering;
  const texts = isNew ? words.register : words.logIn;

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (isBusy) return;
    let found = errorsOfInput(credentials);
    if (found === null) {
      const failure = await (isNew ? register : logIn)(credentials);
      if (failure === null) return;
      found = errorsOfFailure(failure, isNew);
    }
    setErrors(found);
    if (found.username !== undefined) usernameInput.current?.focus();
    else if (found.password !== undefined) passwordInput.current?.focus();
  }

  function change(part: Partial<Credentials>) {
    setCredentials({ ...credentials, ...part });
    setErrors({});
  }

  return (
    <form className={styles.form} noValidate onSubmit={(event) => void submit(event)}>
      {!isNew && hasDemoUsers() && (
        <DemoUsers
          picked={credentials.username}
          onPick={(username) => {
            change({ username, password: demoPassword });
            submitButton.current?.focus();
          }}
        />
      )}
      {errors.form !== undefined && (
        <p role="alert" className={styles.failure}>
          {errors.form}
        </p>
      )}
      <Field
        ref={usernameInput}
        label={words.logIn.username}
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        value={credentials.username}
        hint={isNew ? words.register.usernameHint : undefined}
        error={errors.username}
        onChange={(event) => change({ username: event.target.value })}
      />
      <PasswordField
        ref={passwordInput}
        isNew={isNew}
        value={credentials.password}
        error={errors.password}
        onChange={(password) => change({ password })}
      />
      <div className={styles.submit}>
        <Button ref={submitButton} type="submit" look="primary" aria-disabled={isBusy}>
          {isBusy ? texts.busy : texts.submit}
        </Button>
      </div>
    </form>
  );
}

function DemoUsers({ picked, onPick }: { picked: string; onPick(username: string): void }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be a grid in every browser
    <div role="group" aria-label={words.logIn.demoUsers} className={styles.demoUsers}>
      {demoUsers.map((name) => (
        <button
          key={name}
          type="button"
          aria-pressed={picked === name}
          onClick={() => onPick(name)}
        >
          <Avatar name={name} />
          {name}
        </button>
      ))}
    </div>
  );
}

interface PasswordProps {
  isNew: boolean;
  value: string;
  error: string | undefined;
  onChange(password: string): void;
  ref: React.Ref<HTMLInputElement>;
}

function PasswordField({ isNew, value, error, onChange, ref }: PasswordProps) {
  const [isShown, setIsShown] = useState(false);
  return (
    <Field
      ref={ref}
      label={words.logIn.password}
      name="password"
      type={isShown ? "text" : "password"}
      autoComplete={isNew ? "new-password" : "current-password"}
      value={value}
      hint={isNew ? words.register.passwordHint : undefined}
      error={error}
      onChange={(event) => onChange(event.target.value)}
      action={
        <IconButton
          label={isShown ? words.logIn.hidePassword : words.logIn.showPassword}
          onClick={() => setIsShown(!isShown)}
        >
          {isShown ? <EyeOff /> : <Eye />}
        </IconButton>
      }
    />
  );
}
