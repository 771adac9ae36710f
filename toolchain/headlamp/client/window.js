// A window without anything that draws, for Node. Must be imported before the frontend.
import { Window } from 'happy-dom';
import 'fake-indexeddb/auto';
import { readFileSync } from 'node:fs';
import WebSocket from 'ws';

export const fleet = JSON.parse(readFileSync(process.argv[2], 'utf-8'));

const made = new Window({ url: fleet.url });
made.document.body.innerHTML = '<div id="root"></div>';
const own = new Set(['fetch', 'Headers', 'Request', 'Response', 'performance', 'URL', 'URLSearchParams', 'WebSocket']);
for (const name of new Set([...Object.getOwnPropertyNames(made), ...Object.getOwnPropertyNames(Window.prototype)])) {
  if (own.has(name) || (name in globalThis && name !== 'navigator')) continue;
  const value = made[name];
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}
Object.assign(globalThis, { window: made, document: made.document, WebSocket });
made.headlampBaseUrl = fleet.base;
