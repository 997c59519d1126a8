// Bundles the shop's pages and its server, with React, Vue, Angular and Lit inside, into the folder given: `node build.mjs FOLDER`.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const clients = join(import.meta.dirname, '..', 'clients');
const { build } = createRequire(join(clients, 'package.json'))('esbuild');
const common = {
  absWorkingDir: join(import.meta.dirname, 'pages'),
  outdir: process.argv[2],
  // What the pages are made with is installed beside, with the other clients.
  nodePaths: [join(clients, 'node_modules')],
  bundle: true,
  jsx: 'automatic',
  define: {
    'process.env.NODE_ENV': '"production"',
    ngDevMode: 'false',
    __VUE_OPTIONS_API__: 'true',
    __VUE_PROD_DEVTOOLS__: 'false',
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'true',
  },
  logLevel: 'error',
};

await build({
  ...common,
  entryPoints: ['plain.mjs', 'react.jsx', 'vue.mjs', 'angular.mjs', 'lit.mjs', 'fetching.jsx'],
  alias: { vue: 'vue/dist/vue.esm-bundler.js' },
  format: 'esm',
  target: 'chrome120',
});
await build({ ...common, entryPoints: ['server.jsx'], platform: 'node', format: 'cjs', outExtension: { '.js': '.cjs' } });
await build({
  ...common,
  entryPoints: ['angular-server.mjs', 'lit-server.mjs'],
  platform: 'node',
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
});
