/**
 * Finds the place in krb5.conf that a Kerberos library cannot read. The library itself tells neither file nor line. This
 * is done only after it has refused its configuration.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspectKrb5Conf } from '../../../formats/kerberos/krb5-conf.ts';

const DEFAULT_FILES = '/etc/krb5.conf';
/** How deep files may include each other. A file that includes itself has no end. */
const MAX_DEPTH = 8;

/**
 * Looks for the fault in the files that KRB5_CONFIG names, else in /etc/krb5.conf.
 *
 * @returns the place and what is wrong there, such as `/etc/krb5.conf, line 7: …`. If no fault is found, the files
 */
export function krb5ConfigurationFault(): string {
  const files = (process.env['KRB5_CONFIG'] ?? DEFAULT_FILES).split(':').filter((file) => file !== '');
  for (const file of files) {
    const fault = faultOf(file, 0);
    if (fault !== undefined) return fault;
  }
  return files.join(', ');
}

function faultOf(file: string, depth: number): string | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // A library passes over files that it cannot open. Where they are included, the caller says so.
    return undefined;
  }
  const { includes, fault } = inspectKrb5Conf(text);
  for (const { line, directive, path } of includes) {
    const problem = directive === 'include' ? includedFile(path, depth) : includedFolder(path, depth);
    if (problem === undefined) continue;
    return 'place' in problem ? problem.place : `${file}, line ${line}: ${directive} ${path}: ${problem.reason}`;
  }
  return fault === undefined ? undefined : `${file}, line ${fault.line}: ${fault.problem}`;
}

/** A fault inside an included file, or the reason why it cannot be included. */
type IncludeProblem = { readonly place: string } | { readonly reason: string };

function includedFile(path: string, depth: number): IncludeProblem | undefined {
  if (depth === MAX_DEPTH) return { reason: `files include each other more than ${MAX_DEPTH} deep` };
  try {
    readFileSync(path);
  } catch (error) {
    // libkrb5 opens a folder like a file, and finds nothing in it.
    return codeOf(error) === 'EISDIR' ? undefined : { reason: codeOf(error) };
  }
  const place = faultOf(path, depth + 1);
  return place === undefined ? undefined : { place };
}

/** Names of the files that are read: krb5.conf(5), includedir. */
const isIncludedName = /^(?:[A-Za-z0-9_-]+|[^.].*\.conf)$/;

function includedFolder(path: string, depth: number): IncludeProblem | undefined {
  let names: string[];
  try {
    names = readdirSync(path).sort();
  } catch (error) {
    return { reason: codeOf(error) };
  }
  for (const name of names.filter((entry) => isIncludedName.test(entry))) {
    const problem = includedFile(join(path, name), depth);
    if (problem !== undefined && 'place' in problem) return problem;
    if (problem !== undefined) return { reason: `${name}: ${problem.reason}` };
  }
  return undefined;
}

/** The name of a file system error, such as ENOENT. */
function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'cannot be read';
}
