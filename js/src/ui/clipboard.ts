// Copying, where the page may.

/** Copy a text; whether that went well. A page without TLS and not of this machine may not. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
