import type { BrowserContext, Locator, Page, Request } from "playwright-core";
import { words } from "../../src/words";
import { demoPassword } from "./api";

/** Somebody in front of a page, and what they see there. */
export class Visitor {
  constructor(
    readonly page: Page,
    readonly url: string,
    private readonly losesNetwork: boolean,
    /** What no page of ours does. */
    readonly problems: string[] = [],
  ) {
    this.watch();
  }

  get context(): BrowserContext {
    return this.page.context();
  }

  async goTo(path: string): Promise<void> {
    await this.page.goto(this.url + path);
  }

  /** Resolves when the page knows who is logged in, and shows it. */
  async isReady(): Promise<void> {
    await this.page.locator("main:not([aria-busy])").waitFor();
  }

  /** From now on what has failed waits for a quarter of an hour, unless one says so. */
  async triesOnlyWhenTold(): Promise<void> {
    const wait = () => {
      Math.random = () => 1_000;
    };
    await this.page.addInitScript(wait);
    await this.page.evaluate(wait);
  }

  async logIn(name: string, password = demoPassword): Promise<void> {
    await this.field(words.logIn.username).fill(name);
    await this.field(words.logIn.password).fill(password);
    await this.button(words.logIn.submit).click();
  }

  async logOut(): Promise<void> {
    await this.button(words.account.logOut).click();
  }

  async register(name: string, password = "a password of her own"): Promise<void> {
    await this.button(words.logIn.toRegister).click();
    await this.field(words.logIn.username).fill(name);
    await this.field(words.logIn.password).fill(password);
    await this.button(words.register.submit).click();
  }

  /** Types a message and sends it with Enter. */
  async say(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press("Enter");
  }

  async openChat(name: string): Promise<void> {
    await this.chat(name).click();
    await this.heading(name).waitFor();
    await this.composer.waitFor();
  }

  /** Opens a private chat by the dialog of people. */
  async choosePerson(name: string): Promise<void> {
    await this.button(words.rooms.newChat).click();
    await this.page.getByRole("dialog").getByRole("button", { name }).click();
  }

  /** Its entry in the list of chats. */
  chat(name: string): Locator {
    return this.page
      .getByRole("navigation", { name: words.rooms.title })
      .getByRole("link")
      .filter({ has: this.page.getByText(name, { exact: true }) });
  }

  heading(name: string): Locator {
    return this.page.getByRole("heading", { name, exact: true });
  }

  button(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  field(name: string): Locator {
    return this.page.getByLabel(name, { exact: true });
  }

  text(text: string): Locator {
    return this.page.getByText(text, { exact: true });
  }

  alert(text: string): Locator {
    return this.page.getByRole("alert").filter({ hasText: text });
  }

  /** Who is logged in. */
  get account(): Locator {
    return this.page.getByRole("region", { name: words.account.label });
  }

  get composer(): Locator {
    return this.page.getByRole("textbox", { name: words.composer.label("") });
  }

  banner(text: string): Locator {
    return this.page.getByRole("status").filter({ hasText: text });
  }

  get timeline(): Locator {
    return this.page.getByRole("log");
  }

  /** Those that are rendered: near what is in view. */
  get rows(): Locator {
    return this.timeline.getByRole("article");
  }

  /** Leads to the newest message; there while one is away from it. */
  get jumpButton(): Locator {
    return this.page.getByTitle(words.timeline.toPresent);
  }

  row(text: string): Locator {
    return this.rows.filter({ has: this.page.getByText(text) });
  }

  /** The rendered messages in their order, without the clock that stands at the end of each. */
  async texts(): Promise<string[]> {
    return this.rows.locator("p[dir]").evaluateAll((paragraphs) =>
      paragraphs.map((paragraph) => {
        const copy = paragraph.cloneNode(true) as Element;
        copy.lastElementChild?.remove();
        return copy.textContent;
      }),
    );
  }

  /** The rendered messages that begin so. */
  async textsBeginning(start: string): Promise<string[]> {
    return (await this.texts()).filter((text) => text.startsWith(start));
  }

  async hasPending(): Promise<boolean> {
    return (await this.timeline.locator("[data-pending=true]").count()) > 0;
  }

  /** Another tab of the same browser. */
  async newTab(path: string): Promise<Visitor> {
    const tab = new Visitor(
      await this.context.newPage(),
      this.url,
      this.losesNetwork,
      this.problems,
    );
    await tab.goTo(path);
    return tab;
  }

  private watch(): void {
    const { host } = new URL(this.url);
    this.page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith("http") && url.host !== host) this.note(`Request to ${url}`);
    });
    this.page.on("pageerror", (error) => this.note(`Uncaught ${error.stack ?? error}`));
    this.page.on("console", (message) => {
      if (message.type() !== "error") return;
      const text = message.text();
      if (this.losesNetwork && /^(Failed to load resource|WebSocket connection to)/.test(text))
        return;
      this.note(`console.error: ${text} (${message.location().url})`);
    });
  }

  private note(problem: string): void {
    this.problems.push(problem);
  }
}

/** The GraphQL operation of a request; null for any other request. */
export function operationOf(request: Request): string | null {
  if (request.method() !== "POST" || new URL(request.url()).pathname !== "/graphql") return null;
  // The body of GraphQL over HTTP.
  const { operationName } = request.postDataJSON() as { operationName: string };
  return operationName;
}
