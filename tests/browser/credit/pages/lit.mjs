// The Lit page in the browser: takes over what the server rendered, from `window.__INITIAL_STATE__`.
import '@lit-labs/ssr-client/lit-element-hydrate-support.js';
import { hydrate } from '@lit-labs/ssr-client';
import { hydrated } from './common.mjs';
import { page } from './lit-shop.mjs';

hydrate(page(window.__INITIAL_STATE__), document.getElementById('app'));
await Promise.all([...document.querySelectorAll('shop-banner, shop-card, shop-basket')].map((each) => each.updateComplete));
hydrated();
