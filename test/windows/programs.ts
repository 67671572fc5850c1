/** Programs of Windows that the kit runs. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export const isWindows = process.platform === 'win32';

/** Path of a program in System32. Elsewhere its name, for the few that are there as well. */
export function systemProgram(name: string): string {
  return isWindows ? join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', `${name}.exe`) : name;
}

/** A program that has ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program to its end.
 *
 * @param input for its standard input
 * @throws Error if it cannot be started
 */
export function run(program: string, words: readonly string[], input = ''): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...words], { stdio: 'pipe', windowsHide: true });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text;
      });
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...output }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/**
 * Runs a script of PowerShell and gives what it prints.
 *
 * @throws Error with what PowerShell says, if it fails
 */
export async function powershell(script: string): Promise<string> {
  const words = ['-NoProfile', '-NonInteractive', '-Command', `$ErrorActionPreference = 'Stop'\n${script}`];
  const program = join('WindowsPowerShell', 'v1.0', 'powershell');
  const { code, stdout, stderr } = await run(systemProgram(program), words);
  if (code !== 0) throw new Error(`PowerShell: ${stderr.trim()}`);
  return stdout.trim();
}

/** `DOMAIN\account` of this process, as whoami.exe says it; `unknown` without that program. */
export async function processAccount(): Promise<string> {
  try {
    return (await run(systemProgram('whoami'), [])).stdout.trim();
  } catch {
    return 'unknown';
  }
}
