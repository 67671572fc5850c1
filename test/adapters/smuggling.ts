/** Requests that two readers may frame in two ways, for every server that must not take what is behind them for a user's. */
import type { RawConnection, RawResponse } from '../lab/raw-connection.ts';

/** A request behind a broken one, which must have no user whatever becomes of the broken one. */
export const behind = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n';
const chunked = 'Transfer-Encoding: chunked';

/** Requests that two readers may frame in two ways, with what comes behind them. */
export const smuggling: Readonly<Record<string, string>> = {
  'Content-Length and Transfer-Encoding': `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n${chunked}\r\n\r\n0\r\n\r\n${behind}`,
  'Transfer-Encoding and Content-Length': `POST / HTTP/1.1\r\nHost: localhost\r\n${chunked}\r\nContent-Length: 4\r\n\r\n5c\r\n${behind}`,
  'two Content-Lengths': `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: ${behind.length}\r\n\r\n${behind}`,
  'a list of Content-Lengths': `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0, 0\r\n\r\n${behind}`,
  'a Content-Length with a sign': `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: +0\r\n\r\n${behind}`,
  'a coding that is not the last': `POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n${behind}`,
  'a coding that nobody knows': `POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${behind}`,
  'a space before the colon': `POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n${behind}`,
  'a folded field': `POST / HTTP/1.1\r\nHost: localhost\r\nX-Folded: a\r\n Content-Length: 50\r\nY : z\r\n\r\n${behind}`,
  'a folded Authorization field': `GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization:\r\n : NTLM AAAA\r\n\x00\r\n\r\n${behind}`,
  'a bare line feed in a field': `GET / HTTP/1.1\r\nHost: localhost\r\nX-Feed: a\nContent-Length: 50\r\n\r\n${behind}`,
  'a bare carriage return in a field': `GET / HTTP/1.1\r\nHost: localhost\r\nX-Return: a\rContent-Length: 50\r\n\r\n${behind}`,
  'line feeds alone': `GET / HTTP/1.1\nHost: localhost\n\n${behind}`,
  'NUL in a field': `GET / HTTP/1.1\r\nHost: localhost\r\nX-Nul: a\0b\r\n\r\n${behind}`,
  'a chunk whose extension has a line feed': `POST / HTTP/1.1\r\nHost: localhost\r\n${chunked}\r\n\r\n1;a\nb\r\nx\r\n0\r\n\r\n${behind}`,
  'a chunk length of letters': `POST / HTTP/1.1\r\nHost: localhost\r\n${chunked}\r\n\r\n0x0\r\n\r\n${behind}`,
  'a chunk longer than its length': `POST / HTTP/1.1\r\nHost: localhost\r\n${chunked}\r\n\r\n1\r\nxy\r\n0\r\n\r\n${behind}`,
  'two Hosts': `GET / HTTP/1.1\r\nHost: localhost\r\nHost: other\r\nContent-Length: -1\r\n\r\n${behind}`,
  'HTTP/3.7': `GET / HTTP/3.7\r\nHost: localhost\r\n\r\n${behind}`,
  'no HTTP at all': `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${behind}`,
};

/** All that comes until the server ends the connection. */
export async function responsesUntilEnd(connection: RawConnection): Promise<readonly RawResponse[]> {
  const responses: RawResponse[] = [];
  try {
    for (;;) responses.push(await connection.response());
  } catch {
    await connection.ended();
    return responses;
  }
}
