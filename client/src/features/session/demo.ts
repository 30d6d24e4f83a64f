/** Who can be picked at the log-in: the server has them, unless it was started without. */
export const demoUsers = ["Pablo", "Joe", "Mary", "Alex"];
export const demoPassword = "password123";

/** A server without them writes `<meta name="parley-demo" content="false">` into the page. */
export function hasDemoUsers(): boolean {
  const mark = document.querySelector<HTMLMetaElement>('meta[name="parley-demo"]');
  return mark?.content !== "false";
}
