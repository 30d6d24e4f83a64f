import { Component, type ReactNode } from "react";
import { TroublePage } from "../ui/TroublePage";
import { words } from "../words";

interface Props {
  children: ReactNode;
}

/** A fault of this client ends in words instead of an empty page. React writes the fault to the console. */
export class CrashBoundary extends Component<Props, { hasCrashed: boolean }> {
  override state = { hasCrashed: false };

  static getDerivedStateFromError() {
    return { hasCrashed: true };
  }

  override render() {
    if (!this.state.hasCrashed) return this.props.children;
    const { title, lead, reload } = words.crashed;
    return (
      <TroublePage title={title} lead={lead} action={reload} onAction={() => location.reload()} />
    );
  }
}
