/**
 * One attack on NTLM over HTTP: what is refused must look like every other refusal, and leave nothing behind. Tokens are
 * WinPR's wherever the token itself is not the attack.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { RunningServer, ScenarioOptions, StartServer } from '../../adapters/servers.ts';
import { RawConnection } from '../../lab/raw-connection.ts';
import type { RawResponse } from '../../lab/raw-connection.ts';
import { accounts, assertNothingLeft, domain } from './clients.ts';

/** Of every server here, unless an attack wants more. */
export const options: ScenarioOptions = { accounts, domain, schemes: ['NTLM'] };

/** What every 401 that answers no token looks like, but for its date. */
const withoutDate = ({ text }: RawResponse): string => text.replace(/date: [^\r]+/i, 'Date: …');

/** Declares an attack as a test; `handled` is how often the application's handler runs meanwhile. */
export type Attack = (
  name: string,
  run: (server: RunningServer, refused: (response: RawResponse, why?: string) => void) => Promise<void>,
  expected?: { readonly handled?: number; readonly more?: ScenarioOptions },
) => void;

/**
 * A server and the bytes of its bare 401; at the end nobody has got in unless the case says so, and nothing is left.
 *
 * @param start starts a server of one adapter
 */
export function attackOn(start: StartServer): Attack {
  return (name, run, { handled = 0, more = {} } = {}) => {
    it(name, async () => {
      await using server = await start({ ...options, ...more });
      let bare: string;
      {
        await using connection = await RawConnection.open(server.port);
        bare = withoutDate(await connection.exchange({}));
      }
      await run(server, (response, why) => {
        assert.equal(response.status, 401, why);
        assert.equal(withoutDate(response), bare, why);
      });
      assert.equal(server.handled(), handled, 'how often the handler ran');
      await assertNothingLeft(server);
    });
  };
}
