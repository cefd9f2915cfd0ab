import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';
import { ROUTES } from './src/routes.ts';

const outDir = fileURLToPath(new URL('../.web', import.meta.url));

/** Tells the gateway which paths are the app's own. */
const routes: Plugin = {
  name: 'routes',
  apply: 'build',
  generateBundle() {
    this.emitFile({ type: 'asset', fileName: 'routes.json', source: JSON.stringify(ROUTES) });
  },
};

/** Leaves a Brotli and a gzip version beside each file that they make smaller. */
const precompress: Plugin = {
  name: 'precompress',
  apply: 'build',
  closeBundle() {
    for (const name of readdirSync(outDir, { recursive: true, encoding: 'utf8' })) {
      if (!/\.(js|css|html|svg)$/.test(name)) continue;
      const file = path.join(outDir, name);
      const plain = readFileSync(file);
      const best = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length };
      const smaller = [
        ['.br', brotliCompressSync(plain, { params: best })],
        ['.gz', gzipSync(plain, { level: 9 })],
      ] as const;
      for (const [ending, body] of smaller) if (body.length < plain.length) writeFileSync(file + ending, body);
    }
  },
};

/** `vite dev web` shows changes at once, on the data of the gateway at GATEWAY. */
const gateway = process.env.GATEWAY ?? 'http://127.0.0.1:4000';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [react(), routes, precompress],
  build: { outDir, emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false }, target: 'es2023' },
  server: {
    host: '127.0.0.1',
    proxy: { '/graphql': { target: gateway, ws: true }, '/sign-in': gateway, '/health': gateway },
  },
});
