// Signatures, by the platform's WebCrypto: Ed25519 (RFC 8032, and the Web Cryptography API's secure curves).

import { SegueError } from "../error.js";

/** Whether each signature of `asked` is a key's, 1 or 0; the module says how its fields lie. */
export async function verified(asked: string): Promise<Uint8Array> {
  const fields = asked === "" ? [] : asked.split("\0");
  const answers = [];
  let last = "";
  for (let at = 0; at + 4 <= fields.length; at += 4) {
    const [domain, signed, publicKey, signature] = fields.slice(at, at + 4) as [string, string, string, string];
    last = signed || last;
    answers.push(isSignature(domain + last, publicKey, signature));
  }
  return Uint8Array.from(await Promise.all(answers), Number);
}

async function isSignature(text: string, publicKey: string, signature: string): Promise<boolean> {
  const bytes = fromBase64(signature);
  if (!bytes) return false;
  const { subtle } = globalThis.crypto;
  const raw = Uint8Array.from(publicKey.match(/../g) ?? [], (digits) => parseInt(digits, 16));
  let key: CryptoKey;
  try {
    key = await subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
  } catch (cause) {
    // Of a key that is no point of the curve nobody has a signature; where keys of no kind are known, nobody can tell.
    if ((cause as Error).name !== "NotSupportedError") return false;
    const message = "this platform cannot verify Ed25519 signatures: it takes Chrome 137, Firefox 129, Safari 17 or Node 20";
    throw new SegueError("platform", message, cause);
  }
  return subtle.verify("Ed25519", key, bytes, new TextEncoder().encode(text));
}

/** The bytes of a text in base64; nothing where it is none. */
function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}
