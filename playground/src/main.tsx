import { GraphiQL } from "graphiql";
import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import { createRoot } from "react-dom/client";

import { examples } from "./examples";
import { fetcher } from "./fetcher";
import "./page.css";
import { activeTab } from "./tabs";

const { query, variables } = activeTab();

createRoot(document.getElementById("playground")!).render(
  <GraphiQL
    fetcher={fetcher}
    defaultTabs={examples}
    initialQuery={query ?? ""}
    initialVariables={variables ?? ""}
    defaultEditorToolsVisibility="variables"
    showPersistHeadersSettings={false}
    inputValueDeprecation
    schemaDescription
  >
    <GraphiQL.Logo>Parley playground</GraphiQL.Logo>
  </GraphiQL>,
);
