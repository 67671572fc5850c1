/** `npm run docs:options`: writes docs/options.md. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { optionDocumentation } from './option-documentation.ts';

const path = fileURLToPath(new URL('../../docs/options.md', import.meta.url));
await writeFile(path, await format(optionDocumentation(), { parser: 'markdown' }));
