import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { CrashBoundary } from "./app/CrashBoundary";
import { ChatProvider } from "./features/stream/ChatProvider";
import { roomIdOf } from "./routes";
import { followTheme } from "./theme/theme";
import "./ui/theme.css";
import "./ui/base.css";

followTheme();

const container = document.getElementById("root");
if (container === null) throw new Error("The page has no #root.");
createRoot(container).render(
  <StrictMode>
    <CrashBoundary>
      <ChatProvider openRoomId={() => roomIdOf(location.pathname)}>
        <App />
      </ChatProvider>
    </CrashBoundary>
  </StrictMode>,
);
