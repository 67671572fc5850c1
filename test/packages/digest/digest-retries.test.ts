/** Clients whose right responses are of no use, because their nonce is of another process or too old when it comes back. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as Sspi from '../../../src/sspi/index.ts';
import { answerChallenge } from './digest-client.ts';
import type { AnswerOptions } from './digest-client.ts';
import { CHALLENGED, DENIED, OK } from './digest-results.ts';
import { DigestServer, testRandom, texts } from './digest-server.ts';

const secret = 'a secret that two processes share';
let processes = 0;
const process = (): DigestServer => new DigestServer({ secret, random: testRandom(`process ${processes++}`) });

/** A client that does as `stale=true` says: it answers the newest challenge. */
class Client {
  challenge: string;
  diagnosis: Sspi.Diagnosis | undefined;

  constructor(challenge: string) {
    this.challenge = challenge;
  }

  ask(server: DigestServer, options: AnswerOptions = {}): string {
    const { status, context, output, diagnosis } = server.verify(answerChallenge(this.challenge, options));
    if (context !== undefined) Sspi.deleteSecurityContext(context);
    const [next] = texts(output);
    if (next !== undefined) {
      assert.match(next, /stale=true/);
      this.challenge = next;
    }
    this.diagnosis = diagnosis;
    return Sspi.statusName(status);
  }
}

describe('a client whose nonces are of no use', () => {
  it('is told so eight times in a row, and then refused: each request reaches another process', () => {
    const servers = [process(), process(), process()] as const;
    const client = new Client(servers[0].challenge());
    const statuses = Array.from({ length: 10 }, (_, turn) => client.ask(servers[(turn + 1) % 3] ?? servers[0]));
    assert.deepEqual(statuses, [...(Array(8).fill(CHALLENGED) as string[]), DENIED, DENIED]);
    assert.equal(client.diagnosis?.account, 'alice');
    assert.match(
      client.diagnosis?.text ?? '',
      /reach the same process.*issued by one process and came back to another/,
    );
    // Its user tries once more.
    const again = new Client(servers[0].challenge());
    assert.deepEqual([again.ask(servers[1]), again.ask(servers[1])], [CHALLENGED, OK]);
  });

  it('does not count what was of use between: the connections of a browser reach several processes, each for long', () => {
    const servers = [process(), process()] as const;
    const client = new Client(servers[0].challenge());
    for (let turn = 0; turn < 40; turn++) {
      const server = servers[turn % 2] ?? servers[0];
      // The nonce was used at the other process, so its count is higher.
      if (turn > 0) assert.equal(client.ask(server, { nc: '00000002' }), CHALLENGED, `turn ${turn}`);
      assert.equal(client.ask(server), OK);
    }
  });

  it('does not count nonces that were used and have grown old, nor a user who takes long to type', () => {
    const server = process();
    const client = new Client(server.challenge());
    for (let turn = 0; turn < 20; turn++) {
      assert.equal(client.ask(server), OK);
      server.clock.advance(300_000);
      assert.equal(client.ask(server, { nc: '00000002' }), CHALLENGED);
    }
    for (let turn = 0; turn < 20; turn++) {
      server.clock.advance(300_000);
      assert.equal(client.ask(server), CHALLENGED);
      assert.equal(client.ask(server), OK);
      // A client that counts from one with every request.
      assert.equal(client.ask(server), CHALLENGED);
      assert.equal(client.ask(server), OK);
    }
  });

  it('has all its tries again after a nonce that was of use', () => {
    const server = process();
    const client = new Client(server.challenge());
    assert.equal(client.ask(server), OK);
    for (let turn = 0; turn < 8; turn++) {
      server.clock.advance(300_000);
      assert.equal(client.ask(server), CHALLENGED, `try ${turn}`);
    }
    server.clock.advance(300_000);
    assert.equal(client.ask(server), DENIED);
  });

  it('is refused where every nonce is too old when it comes back', () => {
    const server = process();
    const client = new Client(server.challenge());
    for (let turn = 0; turn < 8; turn++) {
      server.clock.advance(300_000);
      assert.equal(client.ask(server), CHALLENGED);
    }
    server.clock.advance(300_000);
    assert.equal(client.ask(server), DENIED);
    assert.match(client.diagnosis?.text ?? '', /^make digest\.nonceLifetimeMilliseconds longer: .*too old/);
  });

  it('cannot choose its own number of tries, nor learn more with a wrong response (E03)', () => {
    const [one, other] = [process(), process()] as const;
    const client = new Client(one.challenge());
    for (let turn = 0; turn < 8; turn++) assert.equal(client.ask(turn % 2 === 0 ? other : one), CHALLENGED);
    const nonce = /nonce="([^"]+)"/.exec(client.challenge)?.[1] ?? '';
    const bytes = Buffer.from(nonce, 'base64url');
    assert.equal(bytes[12], 8);
    bytes[12] = 0;
    client.challenge = client.challenge.replace(nonce, bytes.toString('base64url'));
    assert.equal(client.ask(other), DENIED);
    assert.match(client.diagnosis?.text ?? '', /not of this server/);
    const wrong = new Client(one.challenge());
    assert.equal(wrong.ask(other, { password: 'wrong' }), DENIED);
    assert.equal(wrong.diagnosis?.text, undefined);
  });
});
