/** Over HTTP: the library fails, lies or never returns while it verifies a client or tells who the client is (attack A21). */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it, mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { asyncCallLimit, koffi } from '../../../src/native/koffi.ts';
import { liveNativeHandles } from '../../../src/native/secur32/index.ts';
import type { WindowsFunctions } from '../../../src/native/secur32/library.ts';
import { liveHandles } from '../../../src/sspi/index.ts';
import { adapters } from '../../adapters/servers.ts';
import type { Answer, RunningServer } from '../../adapters/servers.ts';
import { RawConnection } from '../../lab/raw-connection.ts';
import type { RawRequest, RawResponse } from '../../lab/raw-connection.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import type { ScratchFolder } from '../../lab/scratch.ts';
import { addAccessTokens, buildScriptedSspi } from '../../lab/scripted-sspi.ts';
import type { ScriptedCounts, ScriptedSspi } from '../../lab/scripted-sspi.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('winpr', ['gcc', 'libc6-dev']);

const says = (script: string): RawRequest => ({
  fields: [`Authorization: NTLM ${Buffer.from(script).toString('base64')}`],
});
const begin = says('status=90312 out=hello');
const alice = 'status=0 name=LAB\\alice';

/** Without access tokens, as WinPR; with them, as Windows. */
type Kind = 'names' | 'tokens';

let folder: ScratchFolder;
let libraries: Readonly<Record<Kind, ScriptedSspi>>;
let token: WindowsFunctions;

before(async () => {
  if (ready.skip !== false) return;
  folder = await scratchFolder('scripted-identity');
  libraries = {
    names: await buildScriptedSspi(folder),
    tokens: await buildScriptedSspi(folder, 'libscripted-tokens.so'),
  };
  token = addAccessTokens(libraries.tokens);
});
after(async () => {
  if (ready.skip !== false) return;
  assert.deepEqual(liveNativeHandles(), { credentials: 0, contexts: 0, tokens: 0, certificates: 0, buffers: 0 });
  assert.deepEqual(liveHandles(), { credentials: 0, contexts: 0 });
  for (const library of Object.values(libraries)) {
    assert.deepEqual(library.counts(), {
      credentials: 0,
      contexts: 0,
      buffers: 0,
      wrong: 0,
      overlaps: 0,
      tokens: 0,
      certificates: 0,
    });
  }
  await folder.remove();
});
afterEach(() => mock.restoreAll());

const LIMIT = 20;

/** From here on the scripted library gives no name before its release. */
let nextRid = 3000;

/** Turns of the event loop until something is so; what comes after fails where it never is. */
async function turns(until: () => boolean): Promise<void> {
  for (let count = 0; count < 200_000 && !until(); count++) await turn();
}

/** A server behind an adapter, with a clock that stands still and what its log said. */
class Scene implements AsyncDisposable {
  readonly #server: RunningServer;
  readonly #library: ScriptedSspi;
  readonly #clock: { at: number };
  readonly #before: { readonly native: ReturnType<typeof liveNativeHandles>; readonly counts: ScriptedCounts };
  readonly reasons: readonly string[];

  private constructor(
    server: RunningServer,
    library: ScriptedSspi,
    { clock, reasons }: { readonly clock: { at: number }; readonly reasons: readonly string[] },
  ) {
    this.#server = server;
    this.#library = library;
    this.#clock = clock;
    this.reasons = reasons;
    this.#before = { native: liveNativeHandles(), counts: library.counts() };
  }

  static async start(adapter: string, kind: Kind): Promise<Scene> {
    const library = libraries[kind];
    const clock = { at: 0 };
    const reasons: string[] = [];
    const log = (record: object): void => {
      // Not advice about the server.
      if (!('advice' in record)) reasons.push((record as { reason?: string }).reason ?? 'error');
    };
    const server = await adapters[adapter]!({
      provider: 'secur32',
      library: library.path,
      schemes: ['NTLM'],
      limits: { handshakeMilliseconds: LIMIT },
      clock: { now: () => 0, elapsed: () => clock.at },
      logger: { info: () => {}, warn: log, error: log },
    });
    return new Scene(server, library, { clock, reasons });
  }

  get handled(): number {
    return this.#server.handled();
  }

  open(): Promise<RawConnection> {
    return RawConnection.open(this.#server.port);
  }

  close(): void {
    this.#server.authenticator.close();
  }

  /** The deadline of every handshake that waits now passes. */
  passDeadline(): void {
    this.#clock.at += LIMIT;
  }

  /** Waits until so many handshakes wait for a result or their client. */
  async pending(handshakes: number): Promise<void> {
    await turns(() => this.#server.authenticator.pendingHandshakes >= handshakes);
  }

  async blocked(calls: number): Promise<void> {
    await turns(() => this.#library.blocked() >= calls);
    assert.equal(this.#library.blocked(), calls);
  }

  release(): void {
    this.#library.release();
  }

  /** Everything the requests since the start took was given back; what `kept` connections hold is still there. */
  async nothingLeft(kept = 0): Promise<void> {
    const beyond = (): boolean => {
      const { contexts, credentials } = liveNativeHandles();
      // A context has a credential of its own here.
      return contexts > kept || credentials > this.#before.native.credentials + kept || this.#library.blocked() > 0;
    };
    await turns(() => !beyond());
    assert.equal(liveNativeHandles().contexts, kept);
    if (kept > 0) return;
    assert.deepEqual(liveNativeHandles(), this.#before.native);
    assert.deepEqual(this.#library.counts(), this.#before.counts);
    assert.equal(liveHandles().contexts, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A test that failed must not leave a thread behind.
    this.release();
    await this.#server[Symbol.asyncDispose]();
    // Connections that close are noticed on a later turn, and the next scene counts from where this one ends.
    await turns(() => liveNativeHandles().credentials === 0);
  }
}

function assertRefused(response: RawResponse, what?: string): void {
  assert.equal(response.status, 401, what);
  assert.equal(response.body, '401 Unauthorized\n', what);
  assert.deepEqual(response.headers.get('www-authenticate'), ['NTLM'], what);
}

/** The script as the first leg and as the last of two, each on a connection of its own: refused, and nobody stays. */
async function assertRefusedEverywhere(scene: Scene, script: string): Promise<void> {
  for (const legs of [[], [begin]]) {
    await using connection = await scene.open();
    for (const leg of legs) assert.equal((await connection.exchange(leg)).status, 401);
    assertRefused(await connection.exchange(says(script)), script);
    assertRefused(await connection.exchange({}), `${script}, afterwards`);
    await scene.nothingLeft();
  }
  assert.equal(scene.handled, 0);
  // Beside the refusals the log has what the package threw, once for each place in the code.
  assert.equal(scene.reasons.filter((reason) => reason !== 'error').length, 2);
}

function nameOf(response: RawResponse): string | null {
  assert.equal(response.status, 200, response.text);
  return (JSON.parse(Buffer.from(response.body, 'latin1').toString()) as Answer).name;
}

const failures: readonly (readonly [what: string, kind: Kind, script: string])[] = [
  ['SECPKG_ATTR_NAMES fails', 'names', 'names=80090305'],
  ['SECPKG_ATTR_NAMES answers something positive', 'names', 'names=1 name=LAB\\alice'],
  ['SECPKG_ATTR_NAMES gives a NULL pointer', 'names', 'null=1'],
  ['SECPKG_ATTR_NAMES gives a domain alone', 'names', 'name=LAB\\'],
  ['SECPKG_ATTR_NAMES gives a backslash alone', 'names', 'name=\\'],
  ['SECPKG_ATTR_NAMES gives a realm alone', 'names', 'name=@LAB.EXAMPLE'],
  ['SECPKG_ATTR_NAMES gives half a surrogate pair', 'names', 'units=00610062d800'],
  ['SECPKG_ATTR_NAMES gives a line break', 'names', 'units=0061000a0062'],
  ['SECPKG_ATTR_NAMES gives 100 000 letters', 'names', 'long=100000'],
  ['SECPKG_ATTR_NAMES gives 100 000 letters beside a good token', 'tokens', 'long=100000 token=good'],
  ['QuerySecurityContextToken fails', 'tokens', 'query=80090304 name=LAB\\alice'],
  ['QuerySecurityContextToken is not there', 'tokens', 'query=80090302 name=LAB\\alice'],
  ['QuerySecurityContextToken answers something positive', 'tokens', 'query=1 token=good name=LAB\\alice'],
  ['QuerySecurityContextToken gives a NULL handle', 'tokens', 'token=null name=LAB\\alice'],
  ["QuerySecurityContextToken gives the process's own token", 'tokens', 'token=pseudo name=LAB\\alice'],
  ['the token says nothing', 'tokens', 'token=silent name=LAB\\alice'],
  ['the token says its size alone', 'tokens', 'token=fails-later name=LAB\\alice'],
  ['the token is shorter than its structures', 'tokens', 'token=tiny name=LAB\\alice'],
  ['the token is longer than any', 'tokens', 'token=huge name=LAB\\alice'],
  ['the token is all zero', 'tokens', 'token=empty name=LAB\\alice'],
  ['the token has more groups than bytes', 'tokens', 'token=crowd name=LAB\\alice'],
  ['the SID lies outside the token', 'tokens', 'token=astray name=LAB\\alice'],
  ['the SID has more parts than one can have', 'tokens', 'token=bad-sid name=LAB\\alice'],
  ['nobody knows a name', 'tokens', 'token=good rid=2001'],
  ['the system claims a name longer than its room', 'tokens', 'token=good rid=2003'],
];

for (const adapter of Object.keys(adapters)) {
  describe(`secur32 behind ${adapter}`, ready, () => {
    it('reads who it is where everything is right', async () => {
      for (const [kind, script, expected] of [
        ['names', 'name=LAB\\alice', 'LAB\\alice'],
        ['names', 'units=00e4005b0a15d83dde00', '\u00e4[\u0a15\u{1f600}'],
        ['tokens', 'name=LAB\\alice token=good', 'LAB\\alice'],
        ['tokens', 'names=80090305 token=good', 'LAB\\looked-up'],
      ] as const) {
        await using scene = await Scene.start(adapter, kind);
        {
          await using connection = await scene.open();
          const response = await connection.exchange(says(script));
          assert.equal(nameOf(response), expected);
          const { user } = JSON.parse(response.body) as Answer;
          assert.equal(user?.sid, kind === 'tokens' ? 'S-1-5-21-1-2-3-1001' : undefined);
          assert.equal(user?.groups[0]?.name, kind === 'tokens' ? 'LAB\\Users' : undefined);
        }
        await scene.nothingLeft();
        assert.deepEqual(scene.reasons, []);
      }
    });

    for (const [what, kind, script] of failures) {
      it(`A21: ${what}: refused`, async () => {
        await using scene = await Scene.start(adapter, kind);
        await assertRefusedEverywhere(scene, `status=0 out=never ${script}`);
      });
    }

    for (const [what, break_] of Object.entries<() => void>({
      'the look at the token': () => mock.method(token, 'GetTokenInformation', thrower),
      'the reading of a text': () => mock.method(koffi().decode, 'string16', thrower),
    })) {
      it(`A21: an exception in ${what}: refused, and everything is given back`, async () => {
        await using scene = await Scene.start(adapter, 'tokens');
        for (const legs of [[], [begin]]) {
          await using connection = await scene.open();
          for (const leg of legs) assert.equal((await connection.exchange(leg)).status, 401);
          let thrown = 0;
          within = () => thrown++;
          break_();
          const response = await connection.exchange(says(`${alice} token=good`));
          mock.restoreAll();
          assert.ok(thrown > 0);
          assertRefused(response);
          assert.ok(!response.text.includes('secret'));
          assertRefused(await connection.exchange({}));
          await scene.nothingLeft();
        }
        assert.equal(scene.handled, 0);
        await using connection = await scene.open();
        assert.equal(nameOf(await connection.exchange(says(`${alice} token=good`))), 'LAB\\alice');
      });
    }

    for (const [what, kind, legs, script] of [
      ['the first leg', 'names', [], `${alice} block=1`],
      ['the last leg', 'names', [begin], `${alice} block=1`],
      ['the first leg, with tokens', 'tokens', [], `${alice} token=good block=1`],
      ['the last leg, with tokens', 'tokens', [begin], `${alice} token=good block=1`],
      ['a leg that would go on', 'names', [begin], 'status=90312 out=more block=1'],
      ['a leg that would fail', 'names', [begin], 'status=8009030c block=1'],
      ['a leg that CompleteAuthToken follows', 'names', [begin], 'status=90313 name=LAB\\alice block=1'],
      ['the look-up of a name', 'tokens', [begin], 'status=0 token=good rid=NEW'],
    ] as const) {
      it(`A21: ${what} does not return in time: 401 at the deadline, its result discarded, others served`, async () => {
        await using scene = await Scene.start(adapter, kind);
        {
          await using signedIn = await scene.open();
          const own = `${alice}${kind === 'tokens' ? ' token=good' : ''}`;
          assert.equal(nameOf(await signedIn.exchange(says(own))), 'LAB\\alice');
          await using victim = await scene.open();
          for (const leg of legs) assert.equal((await victim.exchange(leg)).status, 401);
          // A name that was found is remembered: each server asks for one of its own.
          victim.send(says(script.replace('NEW', String(nextRid++))));
          await scene.blocked(1);
          assert.equal(nameOf(await signedIn.exchange({})), 'LAB\\alice');
          await using other = await scene.open();
          assert.equal(nameOf(await other.exchange(says(own))), 'LAB\\alice');
          scene.passDeadline();
          assertRefused(await victim.response());
          await scene.blocked(1);
          assertRefused(await victim.exchange({}));
          scene.release();
          await scene.nothingLeft(kind === 'tokens' ? 2 : 0);
          assertRefused(await victim.exchange({}), 'the late result signs nobody in');
          assert.equal(scene.handled, 3);
        }
        await scene.nothingLeft();
        assert.deepEqual(scene.reasons, ['handshake-deadline']);
      });
    }

    it('A21: no native call returns: who is signed in is served, the rest is refused, and all comes back', async () => {
      await using scene = await Scene.start(adapter, 'names');
      await using signedIn = await scene.open();
      assert.equal(nameOf(await signedIn.exchange(says(alice))), 'LAB\\alice');
      const victims = await Promise.all(Array.from({ length: asyncCallLimit + 5 }, () => scene.open()));
      for (const victim of victims) victim.send(says(`${alice} block=1`));
      await scene.pending(victims.length);
      await scene.blocked(asyncCallLimit);
      assert.equal(nameOf(await signedIn.exchange({})), 'LAB\\alice');
      // Those without a thread have a deadline like the others.
      scene.passDeadline();
      for (const victim of victims) assertRefused(await victim.response());
      let free = false;
      const releasing = (async () => {
        while (!free) {
          scene.release();
          await turn();
        }
      })();
      await scene.nothingLeft();
      await using late = await scene.open();
      assert.equal(nameOf(await late.exchange(says(alice))), 'LAB\\alice');
      free = true;
      await releasing;
      for (const victim of victims) {
        assertRefused(await victim.exchange({}));
        await victim[Symbol.asyncDispose]();
      }
      assert.equal(scene.handled, 3);
    });

    it('A21: the client goes away, or the server closes, while a call does not return (G10)', async () => {
      for (const legs of [[], [begin]]) {
        await using scene = await Scene.start(adapter, 'names');
        {
          await using gone = await scene.open();
          for (const leg of legs) await gone.exchange(leg);
          gone.send(says(`${alice} block=1`));
          await scene.blocked(1);
        }
        await using waiting = await scene.open();
        waiting.send(says(`${alice} block=1`));
        await scene.blocked(2);
        scene.close();
        assert.equal((await waiting.response()).status, 401);
        scene.release();
        await turns(() => liveNativeHandles().credentials === 0);
        assert.deepEqual(liveNativeHandles(), { credentials: 0, contexts: 0, tokens: 0, certificates: 0, buffers: 0 });
        assert.equal((await waiting.exchange({})).status, 401);
        assert.equal(scene.handled, 0);
      }
    });
  });
}

let within: () => void = () => undefined;
function thrower(): never {
  within();
  throw new Error('secret of the directory');
}
