import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { keepPage } from './keep-page.ts';
import { limitInitialSize } from './limit-initial-size.ts';

/** Where the services are while `npm run dev` serves the page. */
const services = process.env.BAMBOCHAT_URL ?? 'http://127.0.0.1:3000';
const paths = ['/api', '/messages', '/sync'];

export default defineConfig({
  plugins: [react(), keepPage(), limitInitialSize(150 * 1024)],
  build: {
    outDir: 'dist',
    target: 'es2022',
    // Colours are written once, with light-dark().
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // The Content-Security-Policy allows neither inline scripts nor data: addresses of fonts.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: { index: 'index.html', sw: 'src/app/offline/service-worker.ts' },
      output: {
        // Its address is for ever, and it answers for what is below that.
        entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  server: {
    host: '127.0.0.1',
    proxy: {
      ...Object.fromEntries(paths.map((path) => [path, services])),
      '/socket.io': { target: services, ws: true },
    },
  },
});
