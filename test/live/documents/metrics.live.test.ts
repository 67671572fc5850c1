/** The recipes of docs/metrics.md, in programs of their own: they count curl's sign-ins, and no client makes series. */
import assert from 'node:assert/strict';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { onAnyPort } from '../../lab/any-port.ts';
import { curl } from '../../lab/curl.ts';
import { codeBlocks, readDocument, root } from '../../lab/documents.ts';
import { startProcess } from '../../lab/process.ts';
import type { RunningProcess } from '../../lab/process.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import type { ScratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('curl');

/** Starts the recipe that imports a module. */
async function start(folder: ScratchFolder, module: string, env: Record<string, string> = {}): Promise<RunningProcess> {
  const code = codeBlocks(readDocument('docs/metrics.md')).find((block) => block.code.includes(`'${module}'`))?.code;
  assert.ok(code !== undefined, module);
  await symlink(join(root, 'node_modules'), folder.file('node_modules'));
  await writeFile(folder.file('package.json'), '{ "type": "module" }');
  await writeFile(folder.file('app.ts'), code);
  return startProcess(process.execPath, [...onAnyPort, '--import', 'tsx', folder.file('app.ts')], {
    cwd: root,
    env: { TSX_TSCONFIG_PATH: join(root, 'tsconfig.json'), ...env },
  });
}

/** One sign-in, one wrong password, and schemes that nobody has heard of. */
async function visit(port: string): Promise<void> {
  const url = `http://127.0.0.1:${port}/`;
  assert.equal((await curl(['--ntlm', '-u', 'alice:Wonderland-7', url])).status, 200);
  assert.equal((await curl(['--ntlm', '-u', 'alice:wrong', url])).status, 401);
  const unknown = await curl(
    [1, 2, 3].flatMap((count) => ['-H', `Authorization: Made-up-${count} eA==`, url, '--next']).slice(0, -1),
  );
  assert.equal(unknown.status, 401);
}

describe('docs/metrics.md', ready, () => {
  it('Prometheus: sign-ins and refusals, with labels of few values', async () => {
    await using folder = await scratchFolder('metrics');
    await using app = await start(folder, 'prom-client');
    const [, port = ''] = await app.waitForLine(/^port: (\d+)$/);
    const [, metrics = ''] = await app.waitForLine(new RegExp(`^port: (?!${port}$)(\\d+)$`));
    await visit(port);
    const { body } = await curl([`http://127.0.0.1:${metrics}/`]);
    assert.match(body, /^sspi_auth_sign_ins_total\{scheme="NTLM",package="NTLM"\} 1$/m);
    assert.match(body, /^sspi_auth_refusals_total\{scheme="NTLM",reason="SEC_E_LOGON_DENIED"\} 1$/m);
    assert.match(body, /^sspi_auth_refusals_total\{scheme="other",reason="scheme-not-offered"\} 3$/m);
    assert.match(body, /^sspi_auth_sign_in_seconds_count\{scheme="NTLM"\} 1$/m);
    assert.match(body, /^sspi_auth_pending_handshakes 0$/m);
    assert.doesNotMatch(body, /alice|Made-up|127\.0\.0\.1/);
  });

  it('OpenTelemetry: the same', async () => {
    await using folder = await scratchFolder('metrics');
    await using app = await start(folder, '@opentelemetry/api', { METRICS_INTERVAL: '500' });
    const [, port = ''] = await app.waitForLine(/^port: (\d+)$/);
    await visit(port);
    await app.waitForLine(/attributes: \{ scheme: 'other', reason: 'scheme-not-offered' \}/);
    await app.waitForLine(/attributes: \{ scheme: 'NTLM', package: 'NTLM' \}/);
  });
});
