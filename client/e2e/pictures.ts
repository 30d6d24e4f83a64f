import { join } from "node:path";
import type { BrowserContextOptions } from "playwright-core";
import { conversation, now } from "./harness/conversation";
import { root } from "./harness/python";
import { testWith } from "./harness/test";
import type { Visitor } from "./harness/visitor";

const test = testWith(conversation);

const desktop: BrowserContextOptions = {
  viewport: { width: 1280, height: 800 },
  timezoneId: "UTC",
  reducedMotion: "reduce",
};
const phone: BrowserContextOptions = {
  ...desktop,
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  hasTouch: true,
  isMobile: true,
};

test("the log-in", async ({ visit }) => {
  const visitor = await visit({ context: desktop });
  await visitor.button("Mary").click();
  await take(visitor, "login");
});

test("a chat", async ({ visit }) => {
  await visit({ as: "Joe" });
  await visit({ as: "Mary" });
  for (const [name, at, context] of [
    ["chat", "/r/room:0", desktop],
    ["dark", "/r/room:1:3", { ...desktop, colorScheme: "dark" }],
    ["phone", "/r/room:0", phone],
  ] as const) {
    const visitor = await visit({ as: "Pablo", at: "/r/nonsense", context });
    await visitor.page.clock.setFixedTime(now);
    await visitor.goTo(at);
    await visitor.rows.last().waitFor();
    if (name === "dark") await visitor.composer.fill("Reading them now");
    await take(visitor, name);
    await visitor.context.close();
  }
});

async function take({ page }: Visitor, name: string): Promise<void> {
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: join(root, `docs/images/${name}.png`), animations: "disabled" });
}
