// What happens to each watch event and each list in the frontend, in milliseconds of `performance.now()`.
// Must be imported before anything of the frontend: it stands in front of `fetch`, `WebSocket` and `KubeList`.

export const lists = []; // of the lists requested: cluster, path, begin, headers, body, parsed, characters
export const events = []; // of the watch events: kind, type, name, rv, received, begin, end, characters, shown, render
export const commits = []; // of React's commits: begin, end, seconds of rendering

let received = { at: 0, characters: 0 };
let waiting = []; // events that are applied and in no commit yet

const LIST = /\/clusters\/([^/]+)(\/api[^?]*)(\?.*)?$/;

const plainFetch = globalThis.fetch;
globalThis.fetch = async (input, init) => {
  const found = LIST.exec(String(input));
  const begin = performance.now();
  const response = await plainFetch(input, init);
  if (!found || !response.ok) return response;
  const headers = performance.now();
  // What `json()` does, in its two parts.
  response.json = async () => {
    const text = await response.text();
    const body = performance.now();
    const value = JSON.parse(text);
    const parsed = performance.now();
    if (Array.isArray(value.items)) {
      lists.push({ cluster: found[1], path: found[2], begin, headers, body, parsed, characters: text.length,
        items: value.items.length });
    }
    return value;
  };
  return response;
};

const PlainWebSocket = globalThis.WebSocket;
globalThis.WebSocket = class extends PlainWebSocket {
  constructor(...given) {
    super(...given);
    this.addEventListener('message', message => {
      received = { at: performance.now(), characters: message.data.length };
    });
  }
};
export { PlainWebSocket };

// The frontend applies each event to its list by this one function.
export function watched(KubeList) {
  const apply = KubeList.applyUpdate;
  KubeList.applyUpdate = (list, update, ...rest) => {
    const begin = performance.now();
    const changed = apply.call(KubeList, list, update, ...rest);
    const end = performance.now();
    const { kind, metadata } = update.object ?? {};
    const seen = { kind, type: update.type, name: metadata?.name, uid: metadata?.uid, items: list.items.length,
      received: received.at, begin, end, characters: received.characters, shown: null, render: null,
      dropped: changed === list };
    events.push(seen);
    if (changed !== list) waiting.push(seen);
    return changed;
  };
}

// For React's Profiler: what was applied before a rendering began is shown by its commit.
export function committed(id, phase, render, whole, begin, end) {
  commits.push({ begin, end, render });
  const later = [];
  for (const seen of waiting) {
    if (seen.end <= begin) {
      seen.shown = end;
      seen.render = render;
    } else {
      later.push(seen);
    }
  }
  waiting = later;
}
