// Tries the playground in a real Chromium, against the server at BASE_URL with the demo data.
// CHROMIUM is the browser to start; SCREENSHOT, if set, is where to leave a picture of the end.
import { randomUUID } from "node:crypto";
import { chromium } from "playwright-core";

const { BASE_URL, CHROMIUM = "/usr/bin/chromium", SCREENSHOT } = process.env;
const TABS = ["LogIn", "Rooms", "Page", "Send", "Live", "RoomMessages"];
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const problems = new Set();

class Playground {
  constructor(page) {
    this.page = page;
    this.stopButton = page.getByRole("button", { name: /^Stop query/ });
  }

  static async open(context) {
    const playground = new Playground(await context.newPage());
    playground.watch();
    await playground.page.goto(`${BASE_URL}/graphql`);
    await playground.tab(TABS[0]).waitFor();
    await playground.page.locator(".graphiql-query-editor .view-line").first().waitFor();
    return playground;
  }

  /** Note down what no page of ours does. */
  watch() {
    const note = (what) => problems.add(what);
    const own = new URL(BASE_URL).host;
    const check = (url) => {
      const { protocol, host } = new URL(url);
      if (!["blob:", "data:"].includes(protocol) && host !== own) note(`Request to ${url}`);
    };
    this.page.on("request", (request) => check(request.url()));
    this.page.on("websocket", (socket) => check(socket.url()));
    this.page.on("requestfailed", (request) => {
      const reason = request.failure()?.errorText;
      // What a reload cut off did not fail.
      if (reason !== "net::ERR_ABORTED") note(`${request.url()} failed: ${reason}`);
    });
    this.page.on("pageerror", (error) => note(`Uncaught ${error.stack ?? error}`));
    this.page.on("console", (message) => {
      // Monaco warns where it cannot start a worker, and goes on without.
      if (["error", "warning"].includes(message.type())) {
        note(`Console ${message.type()}: ${message.text()} (${message.location().url})`);
      }
    });
  }

  tab(name) {
    return this.page.locator(`.graphiql-tab-button[title="${name}"]`);
  }

  async tabs() {
    return this.page.locator(".graphiql-tab-button").allInnerTexts();
  }

  async choose(name) {
    await this.tab(name).click();
    await this.page.locator(".graphiql-tab-active", { has: this.tab(name) }).waitFor();
    await this.page.waitForTimeout(300); // GraphiQL parses what is new in the editor after 100 ms.
  }

  async run(name, variables) {
    await this.choose(name);
    if (variables) await this.setVariables(variables);
    await this.page.getByRole("button", { name: /^Execute query/ }).click();
  }

  /** Run an example that has one result, and return that. */
  async result(name, variables) {
    const [response] = await Promise.all([
      this.page.waitForResponse((r) => r.request().postDataJSON()?.operationName === name),
      this.run(name, variables),
    ]);
    const result = await response.json();
    if (result.errors) throw new Error(`${name}: ${JSON.stringify(result.errors)}`);
    return result.data;
  }

  async stop() {
    await this.stopButton.click();
    await this.stopButton.waitFor({ state: "detached" });
  }

  /** As pasted: Monaco would close the brackets of what is typed. */
  async setVariables(variables) {
    await this.page.evaluate((text) => {
      const models = globalThis.__MONACO.editor.getModels();
      models.find((model) => model.uri.path.endsWith("variables.json")).setValue(text);
    }, JSON.stringify(variables));
  }

  /** Wait until an editor shows this text. Blanks do not count: Monaco wraps lines by them. */
  async see(selector, text) {
    const find = ([selector, text]) => {
      const dense = (text) => text.replace(/\s/g, "");
      return dense(document.querySelector(selector)?.textContent ?? "").includes(dense(text));
    };
    try {
      await this.page.waitForFunction(find, [selector, text], { timeout: 15_000 });
    } catch {
      const shown = await this.page.locator(selector).first().innerText();
      throw new Error(`Waited for "${text}" in ${selector}, which shows:\n${shown}`);
    }
  }

  async seeResponse(text) {
    await this.see(".result-window", text);
  }
}

/** With the example subscription `name` running in one window, send in the other. */
async function checkSubscription(name, reader, writer) {
  const isSubscribe = (frame) => frame.payload.includes('"subscribe"');
  const subscribed = new Promise((resolve) => {
    // Listening from the first moment: the frame may be sent before the click is known to be done.
    reader.page.once("websocket", (socket) =>
      resolve(socket.waitForEvent("framesent", isSubscribe)),
    );
  });
  await Promise.all([subscribed, reader.run(name)]);
  if (name === "Live") {
    await reader.seeResponse("CaughtUp");
  } else {
    await reader.page.waitForTimeout(1000); // Nothing tells when the server is ready.
  }
  const text = `From the browser test ${randomUUID()}`;
  const { sendMessage } = await writer.result("Send", { input: { roomId: "room:0", text } });
  equal(sendMessage.edge.node.text, text, "the sent text");
  await reader.seeResponse(text);
  await reader.stop();
}

/** From the root types to a field's description, as the server tells it. */
async function checkDocumentation(playground) {
  const { page } = playground;
  await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  const explorer = page.locator(".graphiql-doc-explorer");
  await explorer.getByRole("link", { name: "Subscription" }).click();
  await explorer.getByRole("link", { name: "events" }).click();
  await playground.see(".graphiql-doc-explorer", "Everything that concerns the viewer");
  await page.getByRole("button", { name: "Hide Documentation Explorer" }).click();
  await explorer.waitFor({ state: "detached" });
}

function equal(actual, expected, what) {
  const [got, wanted] = [actual, expected].map((value) => JSON.stringify(value));
  if (got !== wanted) throw new Error(`Expected ${what} to be ${wanted}, not ${got}`);
}

async function check(context) {
  const first = await Playground.open(context);
  equal(await first.tabs(), TABS, "the tabs of a first visit");
  equal(await first.page.title(), "Parley playground", "the title");
  await first.see(".graphiql-editor-tool", '"username": "Pablo"');
  await checkDocumentation(first);

  const { login } = await first.result("LogIn");
  equal(login.user.username, "Pablo", "who is logged in");
  await first.seeResponse('"username": "Pablo"');

  const { me, rooms } = await first.result("Rooms");
  equal(me, login.user, "`me` after the log-in");
  equal(rooms.nodes.some((room) => room.id === "room:0"), true, "room:0 being among the rooms");

  const { messages } = await first.result("Page");
  if (!messages.edges.length) throw new Error("room:0 has no messages.");
  await first.seeResponse('"edges"');

  const second = await Playground.open(context);
  await checkSubscription("Live", first, second);
  await checkSubscription("RoomMessages", first, second);

  await first.choose("Page");
  await first.setVariables({ before: null, mine: 1 });
  await first.page.waitForTimeout(1500); // GraphiQL stores the tabs after half a second.
  await first.page.reload();
  await first.see(".graphiql-query-editor", "query Page");
  await first.see(".graphiql-editor-tool", "mine");
  equal(await first.tabs(), TABS, "the tabs after a reload");
  await first.result("Rooms");
  await first.seeResponse('"rooms"');
}

if (!BASE_URL) throw new Error("Set BASE_URL to that of a running server.");
const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
try {
  const context = await browser.newContext({ colorScheme: "dark" });
  context.setDefaultTimeout(15_000);
  try {
    await check(context);
  } catch (error) {
    problems.add(error.stack);
  }
  if (SCREENSHOT) await context.pages()[0]?.screenshot({ path: SCREENSHOT });
} finally {
  await browser.close();
}
for (const problem of problems) console.error(`✗ ${problem}`);
if (problems.size) process.exitCode = 1;
else console.log("✓ The playground works.");
