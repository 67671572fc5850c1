/** `npm run docs:clients`: writes docs/clients.md. */
import { writeFile } from 'node:fs/promises';
import { format } from 'prettier';
import { clientsPage, pagePath } from './page.ts';

await writeFile(pagePath, await format(clientsPage(), { parser: 'markdown' }));
