import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { releaseProblems } from './release-check.ts';
import type { Release } from './release-check.ts';

const good: Release = {
  tag: 'v1.2.3',
  manifest: { version: '1.2.3', repository: { url: 'git+https://github.com/sspi-auth/sspi-auth.git' } },
  changelog:
    '# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-05-01\n\n### Fixed\n\n- It.\n\n## [1.2.2] - 2026-04-01\n',
  repository: 'sspi-auth/sspi-auth',
};

describe('a release', () => {
  it('may go where tag, version, changelog and repository agree', () => {
    assert.deepEqual(releaseProblems(good), []);
    assert.deepEqual(releaseProblems({ ...good, repository: undefined }), []);
  });

  const cases: [name: string, changes: Partial<Release>, expected: RegExp][] = [
    ['another tag', { tag: 'v1.2.4' }, /^the tag is v1\.2\.4, and package\.json has version 1\.2\.3$/],
    ['a tag without v', { tag: '1.2.3' }, /^the tag is 1\.2\.3/],
    ['no tag', { tag: '' }, /^the tag is ,/],
    [
      'no section',
      { changelog: '## [Unreleased]\n\n## [1.2.2] - 2026-04-01\n\n- It.\n' },
      /has no section \[1\.2\.3\]$/,
    ],
    ['a section of a longer version', { changelog: '## [1.2.3-rc.1] - 2026-04-01\n\n- It.\n' }, /has no section/],
    ['no date', { changelog: '## [Unreleased]\n\n## [1.2.3]\n\n- It.\n' }, /## \[1\.2\.3\] has no date$/],
    ['an empty section', { changelog: '## [1.2.3] - 2026-05-01\n\n## [1.2.2] - 2026-04-01\n' }, /is empty$/],
    ['entries left', { changelog: `## [Unreleased]\n\n- New.\n\n${good.changelog.slice(30)}` }, /still has entries/],
    ['a fork', { repository: 'somebody/sspi-auth' }, /repository is git\+.*, not git\+.*somebody/],
  ];
  for (const [name, changes, expected] of cases) {
    it(`may not go with ${name}`, () => {
      const problems = releaseProblems({ ...good, ...changes });
      assert.equal(problems.length, 1, problems.join('\n'));
      assert.match(problems[0] ?? '', expected);
    });
  }
});
