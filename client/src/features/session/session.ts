import type { Failure } from "../../failure";

export interface Viewer {
  id: string;
  username: string;
}

export interface Credentials {
  username: string;
  password: string;
}

/** Why nobody is logged in: nobody was, the session ran out, or it was ended from elsewhere. */
export type SignedOutReason = "none" | "expired" | "ended";

export type Session =
  | { status: "loading" }
  | { status: "unreachable"; failure: Failure; retry(): void }
  | { status: "signedOut"; reason: SignedOutReason }
  | { status: "signedIn"; viewer: Viewer };
