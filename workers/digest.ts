/** Digests: SHA-256 as hex, comparison in constant time, and random tokens. */
const encoder = new TextEncoder();

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** SHA-256 of a text's UTF-8 bytes, as 64 hex digits. */
export async function sha256(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** True when both texts are the same; takes the same time whatever differs. For secrets of equal length, such as digests. */
export function sameSecret(left: string, right: string): boolean {
  const [one, other] = [encoder.encode(left), encoder.encode(right)];
  return one.byteLength === other.byteLength && crypto.subtle.timingSafeEqual(one, other);
}

/** Random letters and digits, unbiased: just under 6 bits each. */
export function randomText(characters: number): string {
  let text = "";
  while (text.length < characters) {
    for (const byte of crypto.getRandomValues(new Uint8Array(characters))) {
      if (byte < 248 && text.length < characters) text += ALPHABET.charAt(byte % 62);
    }
  }
  return text;
}
