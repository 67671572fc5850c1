/** Alters the ticket of an AP-REQ from outside: what anybody can do who has no key. */
import { derElement } from '../../../src/formats/der.ts';
import { decodeApRequest, decodeKerberosToken } from '../../../src/formats/kerberos/kerberos-token.ts';

/** Cuts the ciphertext of the ticket to a length by re-encoding the token around it. */
export function cutTicket(token: Buffer, length: number): Buffer {
  const open = recode(token, (path, content) =>
    path === '0/14/30/3/1/30/3/30/2/4' ? content.subarray(0, length) : undefined,
  );
  return open;
}

/** Puts the ticket of one token in place of another's. */
export function withTicketOf(token: Buffer, other: Buffer): Buffer {
  const cipher = Buffer.from(decodeApRequest(decodeKerberosToken(token).message).ticketCipher);
  return recode(other, (path) => (path === '0/14/30/3/1/30/3/30/2/4' ? cipher : undefined));
}

/** Walks constructed elements and replaces the content of a primitive one by its path of tag numbers. */
function recode(bytes: Buffer, replace: (path: string, content: Buffer) => Buffer | undefined): Buffer {
  const walk = (part: Buffer, path: string): Buffer => {
    const out: Uint8Array[] = [];
    for (let at = 0; at < part.byteLength;) {
      const tag = part[at]!;
      let length = part[at + 1]!;
      let head = 2;
      if (length >= 0x80) {
        head += length & 0x7f;
        length = part.readUIntBE(at + 2, length & 0x7f);
      }
      const content = part.subarray(at + head, at + head + length);
      const name = tag === 0x30 ? '30' : String(tag & 0x1f);
      const here = path === '' ? name : `${path}/${name}`;
      if (here === '0') {
        const inner = 13;
        out.push(derElement(tag, content.subarray(0, inner), walk(content.subarray(inner), here)));
      } else {
        out.push(derElement(tag, (tag & 0x20) !== 0 ? walk(content, here) : (replace(here, content) ?? content)));
      }
      at += head + length;
    }
    return Buffer.concat(out);
  };
  return walk(bytes, '');
}
