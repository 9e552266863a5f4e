import { createHmac, timingSafeEqual } from 'node:crypto';

/** Signs messages and checks signatures with the key of a connection file. */
export class Signer {
  private readonly digest: string;

  /** @param scheme "hmac-" and the name of a digest: "hmac-sha256" @param key empty: messages carry no signature */
  constructor(
    scheme: string,
    private readonly key: string,
  ) {
    this.digest = scheme.slice('hmac-'.length);
  }

  /** Returns the signature of header, parent header, metadata and content, in lower-case hexadecimal. */
  sign(frames: Uint8Array[]): string {
    if (!this.key) return '';
    const hmac = createHmac(this.digest, this.key);
    for (const frame of frames) hmac.update(frame);
    return hmac.digest('hex');
  }

  verify(signature: string, frames: Uint8Array[]): boolean {
    if (!this.key) return true;
    const expected = Buffer.from(this.sign(frames), 'latin1');
    const given = Buffer.from(signature, 'latin1');
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
}
