/** curl as a client: what it sent and received, by its own account. */
import { readFile } from 'node:fs/promises';
import { runProcess } from './process.ts';
import type { ProcessOptions } from './process.ts';
import { scratchFolder } from './scratch.ts';

/** One response that curl received. */
export interface CurlResponse {
  readonly status: number;
  /** Names in lower case; a field that came more than once has more than one value. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

/** All that curl received. */
export interface CurlResult extends CurlResponse {
  /** Every response in order, those of the handshake included; `status` and `headers` are the last one's. */
  readonly responses: readonly CurlResponse[];
  /** Bodies of all final responses, one after the other, as UTF-8. */
  readonly body: string;
  /** Messages; with `-v` the whole exchange. */
  readonly stderr: string;
  /** 0 where every transfer went well. */
  readonly exitCode: number | null;
}

function parseHeaders(dump: string): CurlResponse[] {
  return dump
    .split(/\r?\n\r?\n/)
    .filter((block) => block.startsWith('HTTP/'))
    .map((block) => {
      const [statusLine = '', ...lines] = block.split(/\r?\n/);
      const headers = new Map<string, string[]>();
      for (const line of lines) {
        const colon = line.indexOf(':');
        const name = line.slice(0, colon).toLowerCase();
        headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()]);
      }
      return { status: Number(statusLine.split(' ')[1]), headers };
    });
}

/**
 * Runs curl without any configuration file.
 *
 * @param args as on its command line, URL included, such as `['--ntlm', '-u', 'alice:secret', url]`
 * @param options environment (KRB5_CONFIG, KRB5CCNAME) and timeout
 * @param wrapper words before `curl`, such as those that enter a network namespace
 * @throws Error where curl could not be run or received no response
 */
export async function curl(
  args: readonly string[],
  options: ProcessOptions = {},
  wrapper: readonly string[] = [],
): Promise<CurlResult> {
  await using folder = await scratchFolder('curl');
  const dump = folder.file('headers');
  const words = [...wrapper, 'curl', '-q', '-sS', '--max-time', '30', '-D', dump, ...args];
  const { code, stdout, stderr } = await runProcess(words[0] ?? '', words.slice(1), options);
  const responses = parseHeaders(await readFile(dump, 'utf8').catch(() => ''));
  const last = responses.at(-1);
  if (last === undefined) throw new Error(`curl ended with ${code ?? 'a signal'} and no response: ${stderr}`);
  return { ...last, responses, body: stdout, stderr, exitCode: code };
}
