import { failureText } from "../../failureText";
import { Button } from "../../ui/Button";
import { Notice } from "../../ui/Notice";
import { useLater } from "../../useLater";
import { words } from "../../words";

const importSettingsPage = () => import("./SettingsPage");

/** The page of settings, which comes when it is wanted. */
export function Settings() {
  const { module, failure, retry } = useLater(importSettingsPage);
  if (module !== null) return <module.SettingsPage />;
  if (failure === null) return null;
  return (
    <Notice role="alert" heading="h1" title={words.settings.failed} lead={failureText(failure)}>
      <Button onClick={retry}>{words.settings.retry}</Button>
    </Notice>
  );
}
