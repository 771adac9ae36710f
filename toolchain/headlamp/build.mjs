// Bundles Headlamp's compiled frontend with our client: `node build.mjs OUT` after `npm ci` and with the package
// `@kinvolk/headlamp-plugin` unpacked in node_modules. It writes OUT/headlamp-page (for a browser), OUT/headlamp-node
// (for Node) and packages.json: which npm packages are in them.
import { build } from 'esbuild';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const out = process.argv[2];

// React's profiling build is its production build that also says how long each commit took.
const profiling = {
  name: 'profiling',
  setup(made) {
    made.onResolve({ filter: /^react-dom$/ }, () => ({ path: path.resolve('node_modules/react-dom/profiling.js') }));
  },
};

// `?import=default` after a path is Vite's; esbuild gives the same module without it.
const locales = {
  name: 'locales',
  setup(made) {
    made.onLoad({ filter: /lib\/i18n\/config\.js$/ }, ({ path: file }) => ({
      contents: readFileSync(file, 'utf-8').replace('.json?import=default`', '.json`'),
    }));
  },
};

const common = {
  bundle: true,
  format: 'esm',
  metafile: true,
  jsx: 'automatic',
  minify: false, // names stay readable in profiles
  plugins: [profiling, locales],
  loader: { '.svg': 'dataurl', '.png': 'dataurl', '.wav': 'dataurl', '.css': 'empty', '.ttf': 'empty' },
  // As upstream's release has them: no multiplexer of WebSockets, no development.
  define: {
    'import.meta.env': JSON.stringify({ MODE: 'production', PROD: true, DEV: false }),
    'process.env.NODE_ENV': '"production"',
  },
  logLevel: 'warning',
};

const made = [
  await build({ ...common, platform: 'browser', alias: { path: 'path-browserify' },
    // What some packages take for granted: upstream's build has a polyfill of it.
    banner: { js: 'globalThis.process ??= { env: {}, browser: true, nextTick: queueMicrotask };' },
    entryPoints: ['client/page.jsx'], outfile: path.join(out, 'headlamp-page') }),
  await build({ ...common, platform: 'node', mainFields: ['module', 'main'],
    banner: { js: "import { createRequire as madeRequire } from 'node:module'; const require = madeRequire(import.meta.url);" },
    entryPoints: ['client/node.jsx'], outfile: path.join(out, 'headlamp-node') }),
];

const folders = new Set();
for (const { metafile } of made) {
  for (const file of Object.keys(metafile.inputs)) {
    const found = /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(file);
    if (found) folders.add(found[0]);
  }
}
const packages = [...folders].sort().map(folder => {
  const { name, version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf-8'));
  return { name, version, folder };
});
writeFileSync(path.join(out, 'packages.json'), JSON.stringify(packages));
