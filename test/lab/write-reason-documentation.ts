/** `npm run docs:reasons`: writes the table of reasons into docs/logging.md. */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { marks, reasonDocumentation } from './reason-documentation.ts';

const path = fileURLToPath(new URL('../../docs/logging.md', import.meta.url));
const page = await readFile(path, 'utf8');
const [before, rest] = page.split(marks[0]);
const after = rest?.split(marks[1])[1];
if (before === undefined || after === undefined) throw new Error(`${path} has no marks for the table`);
const text = [before, marks[0], '\n\n', reasonDocumentation(), '\n\n', marks[1], after].join('');
await writeFile(path, await format(text, { parser: 'markdown', printWidth: 120, singleQuote: true }));
