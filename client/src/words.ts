const productName = "Parley";

/** Every word the user sees, in one place. */
const english = {
  /** Also that of dates and numbers. */
  language: "en",
  productName,
  projectPage: "Project page",
  opensElsewhere: "opens in a new tab",
  skipToContent: "Skip to the content",
  loading: "Loading…",
  close: "Close",
  cancel: "Cancel",

  theme: {
    system: "As the system",
    light: "Light",
    dark: "Dark",
    next: (now: string) => `Theme: ${now}. Change it`,
  },

  logIn: {
    title: "Welcome to Parley",
    lead: "Log in with your name and password.",
    demoLead: "Pick somebody to be, or log in with a name of your own.",
    demoUsers: "Demo users",
    username: "Name",
    password: "Password",
    showPassword: "Show the password",
    hidePassword: "Hide the password",
    submit: "Log in",
    busy: "Logging in…",
    toRegister: "New here? Create an account",
    expired: "Your session has expired. Log in again to go on.",
    ended: "You were logged out.",
  },
  register: {
    title: "Create an account",
    lead: "A name and a password, nothing else.",
    usernameHint: "1 to 32 characters",
    passwordHint: "At least 8 characters",
    submit: "Create the account",
    busy: "Creating the account…",
    toLogIn: "Already have an account? Log in",
  },
  fields: {
    usernameMissing: "Type a name.",
    usernameTooLong: "At most 32 characters.",
    passwordMissing: "Type a password.",
  },

  failures: {
    wrongCredentials: "The name or the password is wrong.",
    nameTaken: "This name is taken, or looks like one that is. Choose another one.",
    rateLimited: (seconds: number | undefined) =>
      seconds === undefined
        ? "Too many tries. Wait a moment, then try again."
        : `Too many tries. Try again in ${plural(Math.ceil(seconds), "second")}.`,
    unavailable: "The server is away. Try again in a moment.",
    noAnswer: "No answer from the server. Check your connection, then try again.",
    loggedOut: "You are logged out. Log in again to go on.",
    forbidden: "You are not allowed to do this.",
    notFound: "This does not exist, or it is not yours to see.",
    conflict: "This message was already sent with another text.",
    tooOld: "It could not be sent for days.",
    outdated: "This page is older than the server. Reload it.",
    refused: (status: number) => `Something on the way to the server refused this (${status}).`,
    unexpected: "Something went wrong. Try again.",
  },

  serverAway: {
    title: "The server is away",
    lead: "Parley cannot be reached just now. Your drafts and unsent messages are kept on this device.",
    retry: "Try again",
  },
  crashed: {
    title: "Something went wrong",
    lead: "That is our fault. Your drafts and unsent messages are kept on this device.",
    reload: "Reload the page",
  },
  connection: {
    offline: "You are offline. Messages you write are kept and go out when you are back.",
    reconnecting: "Reconnecting…",
    retryNow: "Try now",
  },

  rooms: {
    sidebar: "Chats and account",
    title: "Chats",
    unnamed: "Private chat",
    newChat: "New chat",
    nothingYet: "No messages yet",
    you: "You",
    preview: (who: string, text: string) => `${who}: ${text}`,
    unread: (count: number) => plural(count, "unread message"),
    waiting: (count: number) => `${plural(count, "message")} waiting to be sent`,
    back: "Back to the chats",
    members: (count: string, online: number) => `${count} · ${online} online`,
    memberCount: (count: number, more: boolean) =>
      more ? `more than ${count} members` : plural(count, "member"),
  },
  notFound: {
    title: "No such chat",
    lead: "It does not exist, or it is not yours to see.",
    toGeneral: "Go to General",
  },

  presence: {
    online: "Online",
    offline: "Offline",
    lastSeen: (when: string) => `Last seen ${when}`,
    cameOnline: (name: string) => `${name} came online`,
    wentOffline: (name: string) => `${name} went offline`,
  },

  timeline: {
    label: (room: string) => `Messages in ${room}`,
    loadOlder: "Load older messages",
    loadingOlder: "Loading older messages…",
    beginning: (room: string) => `This is the beginning of ${room}.`,
    beginningPrivate: (name: string) => `This is the beginning of your chat with ${name}.`,
    empty: "No messages yet. Say hello!",
    loading: "Loading messages…",
    failed: "The messages could not be loaded.",
    retry: "Try again",
    newMessages: (count: number) => plural(count, "new message"),
    toPresent: "Jump to the newest message",
    openChatWith: (name: string) => `Open a chat with ${name}`,
    by: (name: string, at: string) => `${name}, ${at}`,
    today: "Today",
    yesterday: "Yesterday",
    sending: "Sending…",
    queued: "Waiting to be sent",
    notSent: "Not sent.",
    notSentYet: "Not sent yet.",
    retrySend: "Retry",
    discard: "Discard",
  },

  composer: {
    label: (room: string) => `Message to ${room}`,
    placeholder: (room: string) => `Message ${room}`,
    send: "Send",
    left: (count: number) => `${plural(count, "character")} left`,
    over: (count: number) => `${plural(count, "character")} too many`,
  },

  bot: {
    mark: "Bot",
    named: (name: string) => `${name} (bot)`,
  },

  people: {
    title: "New chat",
    lead: "Choose who to talk to.",
    search: "Search by name",
    list: "People",
    none: "Nobody is here yet.",
    noMatch: (query: string) => `Nobody is called “${query}”.`,
    more: "Show more people",
  },

  account: {
    label: "Your account",
    settings: "Settings",
    logOut: "Log out",
  },

  settings: {
    title: "Settings",
    failed: "The settings could not be loaded.",
    retry: "Try again",
  },
  sessions: {
    title: "Sessions",
    lead: "Where you are logged in. A session that is ended is logged out at once.",
    current: "This one",
    unnamed: "Unknown program",
    used: (begun: string, used: string) => `Logged in ${begun} · last used ${used}`,
    end: "End",
    endOne: (device: string, used: string) => `End the session of ${device}, last used ${used}`,
    endOthers: "End all others",
    endOthersTitle: "End all other sessions?",
    endOthersLead: "You stay logged in here, and nowhere else.",
  },
  bots: {
    title: "Bots",
    lead: "Accounts that programs of yours speak as, each with a token instead of a password.",
    none: "You have no bots yet.",
    create: "New bot",
    createTitle: "New bot",
    createLead: "It gets a name of its own, and a token for your program.",
    createSubmit: "Create the bot",
    username: "Name",
    usernameHint: "1 to 32 characters, marked as a bot’s",
    tooMany: "You have as many bots as there may be.",
    scopes: "What it may do",
    scopesMissing: "Choose at least one.",
    scope: { READ: "Read", SEND: "Send" },
    scopeHint: {
      READ: "See and follow what is in its rooms.",
      SEND: "Send messages to its rooms.",
    },
    token: (scopes: readonly ("READ" | "SEND")[], issued: string, used: string) => {
      const what = scopes.map((scope) => (scope === "READ" ? "read" : "send")).join(" and ");
      return `May ${what} · token issued ${issued} · last used ${used}`;
    },
    tokenless: "It has no token, and can do nothing.",
    tokenTitle: "The token",
    tokenLead: "Copy it now: nobody can see it again. It lasts until it is replaced or revoked.",
    tokenLabel: "Token",
    copy: "Copy",
    copied: "Copied.",
    copyByHand: "The browser does not allow it. The token is selected: copy it by hand.",
    done: "Done",
    of: (action: string, name: string) => `${action}: ${name}`,
    rotate: "New token",
    rotateTitle: (name: string) => `New token for ${name}`,
    rotateLead: "The token that it has now ends at once.",
    rotateLeadTokenless: "With it the bot can go on.",
    rotateSubmit: "Make the token",
    revoke: "Revoke token",
    revokeTitle: (name: string) => `Revoke the token of ${name}?`,
    revokeLead: "It ends at once, and the bot can do nothing until it gets another one.",
    delete: "Delete",
    deleteTitle: (name: string) => `Delete ${name}?`,
    deleteLead:
      "It leaves all rooms, for good. What it has sent stays, and nobody can take its name.",
    rooms: (name: string) => `Rooms of ${name}`,
    noRooms: "In no room yet",
    moreRooms: "and more",
    remove: (name: string, room: string) => `Take ${name} out of ${room}`,
    add: "Add to a room",
    addTitle: (name: string) => `Add ${name} to a room`,
    addLead: "It sees all messages of the room. For a private chat with it, open one.",
    addNone: "It is in all public rooms.",
  },

  announce: {
    message: (name: string, text: string) => `${name}: ${text}`,
    burst: (count: number) => plural(count, "new message"),
  },
  documentTitle: (room: string | null, unread: number) =>
    [unread > 0 ? `(${unread})` : null, room, room === null ? productName : `· ${productName}`]
      .filter(Boolean)
      .join(" "),
};

/** A translation is another object of this type. */
export type Words = typeof english;
export const words: Words = english;

function plural(count: number, noun: string): string {
  return `${count.toLocaleString(english.language)} ${noun}${count === 1 ? "" : "s"}`;
}
