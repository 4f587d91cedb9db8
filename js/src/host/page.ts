/** Where the app's own page says that its addresses begin; `null` in a notebook. */
export function baseOfPage(): string | null {
  return document.querySelector<HTMLMetaElement>('meta[name="rft-base"]')?.content ?? null;
}
