// Bundles the pages' scripts, each with its real client, into the folder given: `node build.mjs FOLDER`.
import { build } from 'esbuild';

await build({
  absWorkingDir: import.meta.dirname,
  entryPoints: ['pages/auction.mjs', 'pages/video.mjs'],
  outdir: process.argv[2],
  bundle: true,
  format: 'esm',
  target: 'chrome120',
  logLevel: 'error',
});
