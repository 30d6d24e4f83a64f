import { defineConfig } from "vite";

export default defineConfig({
  base: "/playground/",
  build: {
    target: "es2022",
    chunkSizeWarningLimit: 4096, // Monaco, the editor, is big; it is loaded once and kept.
    rolldownOptions: {
      onwarn(warning, warn) {
        // Libraries mark modules "use client" for servers that render React; ours does not.
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") warn(warning);
      },
    },
  },
  worker: { format: "es" },
});
