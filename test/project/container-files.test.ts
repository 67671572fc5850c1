/** Dockerfiles and Kubernetes manifests of the documents, against the syntax of the one and the schema of the other. */
import assert from 'node:assert/strict';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { validate } from 'dockerfile-utils';
import { parse, parseAllDocuments } from 'yaml';
import { blocksOf } from '../lab/document-blocks.ts';
import { root } from '../lab/documents.ts';
import { runProcess } from '../lab/process.ts';
import { scratchFolder } from '../lab/scratch.ts';

/** Modules of kubernetes-types, by the version of an API. */
const groups: Readonly<Record<string, string>> = {
  'apps/v1': 'kubernetes-types/apps/v1',
  v1: 'kubernetes-types/core/v1',
};

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
}

/** What is asked of a pod here. */
interface PodSpec {
  readonly volumes: readonly { readonly secret?: { readonly defaultMode: number } }[];
  readonly containers: readonly {
    readonly securityContext: { readonly readOnlyRootFilesystem: boolean };
    readonly volumeMounts: readonly { readonly mountPath: string; readonly readOnly?: boolean }[];
  }[];
}

/** kubectl reads YAML 1.1, in which 0440 is octal. */
function manifests(code: string): Manifest[] {
  return parseAllDocuments(code, { version: '1.1' }).map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS() as Manifest;
  });
}

/** What the compiler says of objects that are to be of the types that Kubernetes' own schema has. */
async function schemaProblems(objects: readonly Manifest[]): Promise<string> {
  await using folder = await scratchFolder('manifests');
  await symlink(join(root, 'node_modules'), folder.file('node_modules'));
  for (const [index, object] of objects.entries()) {
    const group = groups[object.apiVersion] ?? `unknown/${object.apiVersion}`;
    const text = `import type { ${object.kind} } from '${group}';\nexport const object: ${object.kind} = `;
    await writeFile(folder.file(`${index}.ts`), `${text}${JSON.stringify(object, null, 1)};\n`);
  }
  const options = ['--noEmit', '--strict', '--ignoreConfig', '--module', 'esnext', '--moduleResolution', 'bundler'];
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const files = objects.map((_, index) => folder.file(`${index}.ts`));
  const { stdout } = await runProcess(process.execPath, [compiler, ...options, ...files], { timeout: 120_000 });
  return stdout;
}

describe('Kubernetes manifests of the documents', () => {
  const objects = blocksOf('yaml').flatMap(({ code }) => manifests(code));

  it('are there: a Deployment with a library and one without, and a Service, which find each other', () => {
    assert.deepEqual(
      objects.map(({ kind }) => kind),
      ['Deployment', 'Service', 'Deployment'],
    );
    const labels = objects.map((object) => JSON.stringify(object).match(/"app":"(\w+)"/g));
    assert.equal(new Set(labels.flat()).size, 1);
  });

  it('have the fields that the schema of Kubernetes has, and no others; misspelt ones would be found', async () => {
    const text = JSON.stringify(objects[0]);
    const wrong = [
      text.replaceAll('"mountPath"', '"mountpath"'),
      text.replaceAll('"runAsUser":1000', '"runAsUser":"node"'),
    ].map((json) => JSON.parse(json) as Manifest);
    const problems = (await schemaProblems([...objects, ...wrong]))
      .split('\n')
      .filter((line) => line.includes('error'));
    const of = (index: number): string => problems.filter((line) => line.includes(`${index}.ts`)).join('\n');
    for (const index of objects.keys()) assert.equal(of(index), '');
    assert.match(of(objects.length), /mountpath/);
    assert.match(of(objects.length + 1), /string.*number/);
  });

  it('mount the keytab for the process alone, and leave nothing to be written to but what it has to', () => {
    for (const object of objects.filter(({ kind }) => kind === 'Deployment')) {
      const { spec } = (object as unknown as { spec: { template: { spec: PodSpec } } }).spec.template;
      assert.equal(spec.volumes[0]?.secret?.defaultMode, 0o440);
      for (const { securityContext, volumeMounts } of spec.containers) {
        assert.equal(securityContext.readOnlyRootFilesystem, true);
        // The replay cache of both kinds lies there.
        assert.ok(volumeMounts.some(({ mountPath, readOnly }) => mountPath === '/var/tmp' && readOnly !== true));
        assert.ok(volumeMounts.every(({ mountPath, readOnly }) => mountPath !== '/keytab' || readOnly === true));
      }
    }
    // In YAML 1.2 it would be another number: whoever changes it should know.
    assert.equal(parse('0440'), 440);
  });
});

describe('Dockerfiles of the documents', () => {
  const blocks = blocksOf('dockerfile');

  it('are well-formed', () => {
    assert.ok(blocks.length > 0);
    for (const { code, place } of blocks) {
      assert.deepEqual(
        validate(code).map(({ message }) => message),
        [],
        place,
      );
    }
  });

  it('would be found with an instruction that there is not', () => {
    assert.notDeepEqual(validate('FROM node:24-slim\nRUM npm ci\n'), []);
  });

  it('end with a command that Node understands, and run as somebody else than root', () => {
    for (const { code, place } of blocks) {
      const command = JSON.parse(/^CMD (\[.*\])$/m.exec(code)?.[1] ?? '[]') as string[];
      assert.deepEqual(command, ['node', 'app.mjs'], place);
      assert.match(code, /^USER node$/m);
    }
  });
});
