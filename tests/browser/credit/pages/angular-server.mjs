// What Angular's server makes of each state on standard input, as JSON on standard output: its root, and what it keeps for the client.
import { text } from 'node:stream/consumers';
import '@angular/compiler';
import { bootstrapApplication } from '@angular/platform-browser';
import { provideServerRendering, renderApplication } from '@angular/platform-server';
import { providers, Shop, STATE } from './angular-shop.mjs';

const document = '<!doctype html><html lang="en"><head></head><body><app-root></app-root></body></html>';
const render = async (state) => {
  const server = [...providers, provideServerRendering(), { provide: STATE, useValue: state }];
  const bootstrap = (context) => bootstrapApplication(Shop, { providers: server }, context);
  const page = await renderApplication(bootstrap, { document, url: 'http://localhost/', allowedHosts: ['localhost'] });
  return /<body[^>]*>([\s\S]*)<\/body>/.exec(page)[1];
};

const made = [];
// One after the other: a platform is one application's at a time.
for (const state of JSON.parse(await text(process.stdin))) made.push(await render(state));
process.stdout.write(JSON.stringify(made));
