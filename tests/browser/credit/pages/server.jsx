// The shop's server: for each state on standard input, what React and Vue make of it, as JSON on standard output.
import { text } from 'node:stream/consumers';
import { renderToStaticMarkup, renderToString } from 'react-dom/server';
import { createSSRApp } from 'vue';
import { renderToString as renderVue } from 'vue/server-renderer';
import { Shop as ReactShop } from './react-shop.jsx';
import { Shop as VueShop } from './vue-shop.mjs';

const render = async (state) => ({
  plain: renderToStaticMarkup(<ReactShop state={state} />),
  react: renderToString(<ReactShop state={state} />),
  vue: await renderVue(createSSRApp(VueShop, { state })),
});

text(process.stdin).then((asked) => Promise.all(JSON.parse(asked).map(render)))
  .then((made) => process.stdout.write(JSON.stringify(made)));
