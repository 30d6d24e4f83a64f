import { createHash } from "node:crypto";
import { type Plugin, runnerImport } from "vite";

/**
 * Adds documents.json to the build, which maps hashes to what the client asks. A server that only
 * takes trusted documents trusts these.
 */
export function documents(): Plugin {
  return {
    name: "documents",
    apply: "build",
    async generateBundle() {
      const { module } = await runnerImport<typeof import("./asSent")>(
        `${import.meta.dirname}/asSent.ts`,
      );
      const texts = await module.documentsAsSent();
      this.emitFile({
        type: "asset",
        fileName: "documents.json",
        source: JSON.stringify(Object.fromEntries(texts.map((text) => [hashOf(text), text]))),
      });
    },
  };
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
