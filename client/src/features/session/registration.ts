/** A server whose operator makes all accounts writes `<meta name="parley-registration" content="false">`. */
export function mayRegister(): boolean {
  const mark = document.querySelector<HTMLMetaElement>('meta[name="parley-registration"]');
  return mark?.content !== "false";
}
