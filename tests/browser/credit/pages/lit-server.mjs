// What Lit's server makes of each state on standard input, as JSON on standard output.
import { text } from 'node:stream/consumers';
import { render } from '@lit-labs/ssr';
import { collectResult } from '@lit-labs/ssr/lib/render-result.js';
import { page } from './lit-shop.mjs';

const made = await Promise.all(JSON.parse(await text(process.stdin)).map((state) => collectResult(render(page(state)))));
process.stdout.write(JSON.stringify(made));
