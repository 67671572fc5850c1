/**
 * What a release must be before it may leave: `npm run check:release -- v1.2.3`. The workflow asks, see docs/releasing.md.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What is looked at. */
export interface Release {
  /** Name of the tag. */
  readonly tag: string;
  readonly manifest: { readonly version: string; readonly repository: { readonly url: string } };
  /** Text of CHANGELOG.md. */
  readonly changelog: string;
  /** `owner/name` of the repository that publishes, where that is known: npm refuses to sign for another one. */
  readonly repository?: string | undefined;
}

/** The section of a version, from its heading to the next. */
function section(changelog: string, version: string): { heading: string; text: string } | undefined {
  const sections = changelog.split(/^(?=## )/m);
  const found = sections.find((part) => part.startsWith(`## [${version}]`));
  if (found === undefined) return undefined;
  const [heading = '', ...lines] = found.split('\n');
  return { heading, text: lines.join('\n').trim() };
}

/** All that stands in the way of a release, in words; nothing where it may go. */
export function releaseProblems({ tag, manifest, changelog, repository }: Release): string[] {
  const { version } = manifest;
  const problems: string[] = [];
  if (tag !== `v${version}`) problems.push(`the tag is ${tag}, and package.json has version ${version}`);
  const entry = section(changelog, version);
  if (entry === undefined) {
    problems.push(`CHANGELOG.md has no section [${version}]`);
  } else {
    if (!/ - \d{4}-\d{2}-\d{2}$/.test(entry.heading)) problems.push(`CHANGELOG.md: ${entry.heading} has no date`);
    if (entry.text === '') problems.push(`CHANGELOG.md: the section [${version}] is empty`);
  }
  const left = section(changelog, 'Unreleased')?.text ?? '';
  if (left !== '') problems.push(`CHANGELOG.md: [Unreleased] still has entries: move them to [${version}]`);
  const url = `git+https://github.com/${repository ?? ''}.git`;
  if (repository !== undefined && manifest.repository.url !== url) {
    problems.push(`package.json: repository is ${manifest.repository.url}, not ${url}, which publishes`);
  }
  return problems;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const problems = releaseProblems({
    tag: process.argv[2] ?? '',
    manifest: JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Release['manifest'],
    changelog: await readFile(join(root, 'CHANGELOG.md'), 'utf8'),
    repository: process.env['GITHUB_REPOSITORY'],
  });
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
