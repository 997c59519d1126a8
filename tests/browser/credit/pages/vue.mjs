// The Vue page in the browser: takes over what the server rendered, from `window.__INITIAL_STATE__`.
import { createSSRApp } from 'vue';
import { hydrated } from './common.mjs';
import { Shop } from './vue-shop.mjs';

createSSRApp(Shop, { state: window.__INITIAL_STATE__ }).mount('#app');
hydrated();
