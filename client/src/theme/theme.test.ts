import { beforeEach, expect, onTestFinished, test, vi } from "vitest";

const key = "parley:theme";
const shown = () => document.documentElement.dataset.theme;

beforeEach(() => {
  vi.resetModules();
  localStorage.clear();
  onTestFinished(() => {
    delete document.documentElement.dataset.theme;
  });
});

async function load() {
  const theme = await import("./theme");
  theme.followTheme();
  return theme;
}

test("the system's theme is left to the style sheet, until one is chosen", async () => {
  const { chooseTheme } = await load();
  expect(shown()).toBeUndefined();
  chooseTheme("dark");
  expect(shown()).toBe("dark");
  chooseTheme("system");
  expect(shown()).toBeUndefined();
});

test("the choice outlives the page, and is that of all tabs", async () => {
  const { chooseTheme } = await load();
  chooseTheme("dark");
  vi.resetModules();
  await load();
  expect(shown()).toBe("dark");
  window.dispatchEvent(new StorageEvent("storage", { key, newValue: '"light"' }));
  expect(shown()).toBe("light");
});

test("a theme that does not exist counts as none", async () => {
  localStorage.setItem(key, '"sepia"');
  await load();
  expect(shown()).toBeUndefined();
});
