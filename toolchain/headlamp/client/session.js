// Does what the driver asks for, over a WebSocket: JSON orders {order, ...}, a JSON answer {answer, ...} to each.
import { commits, events, lists, PlainWebSocket } from './probe';

const LOOK_MS = 20; // between two looks whether a page is complete

const pause = () => new Promise(resolve => setTimeout(resolve, LOOK_MS));

// Serves until the socket closes. `heap`: used bytes after a collection; `frontend`: open, kinds, queryClient.
export async function serve({ driver, page, clusters, tables, heap, frontend }) {
  const socket = new PlainWebSocket(driver);
  const answer = (name, said) => socket.send(JSON.stringify({ answer: name, ...said }));

  // React takes a page down whose component throws, and throws the error again.
  let broken = null;
  window.addEventListener('error', event => {
    broken ??= event.error;
  });
  const wait = async () => {
    if (broken) throw broken;
    await pause();
  };

  const orders = {
    // For the driver, which compares its clock with this one.
    async clock() {
      return { now: performance.now() };
    },
    // The page is shown, and all that it lists is there and drawn.
    async list() {
      const before = await heap();
      const kinds = frontend.kinds(page);
      const wanted = kinds.length * clusters.length;
      const begin = performance.now();
      frontend.open(page, clusters, tables);
      const found = () => frontend.queryClient.getQueryCache().findAll({ queryKey: ['kubeObject', 'list'] })
        .filter(({ queryKey }) => kinds.some(kind => kind.apiVersion === queryKey[2] && kind.apiName === queryKey[3]));
      const listed = () => found().filter(query => query.state.status === 'success');
      const failed = () => found().filter(query => query.state.status === 'error');
      while (listed().length < wanted) {
        if (failed().length) throw new Error(`a list failed: ${failed()[0].state.error}`);
        await wait();
      }
      const data = Math.max(...listed().map(query => query.state.dataUpdatedAt)) - performance.timeOrigin;
      while (!commits.some(commit => commit.begin >= data - 1)) await wait(); // dataUpdatedAt is whole milliseconds
      const shown = commits.find(commit => commit.begin >= data - 1).end;
      const items = Object.fromEntries(kinds.map(kind => [kind.apiName, 0]));
      for (const query of listed()) items[query.queryKey[3]] += query.state.data.list.items.length;
      return { begin, data, shown, items, lists, before, after: await heap(),
        commits: commits.length, render: commits.reduce((sum, commit) => sum + commit.render, 0) };
    },
    // What came since `watch` began.
    async watch() {
      events.length = 0;
      commits.length = 0;
      return { begin: performance.now() };
    },
    async report() {
      if (broken) throw broken;
      return { events, commits, end: performance.now(), heap: await heap() };
    },
  };

  socket.addEventListener('message', async message => {
    const { order } = JSON.parse(message.data);
    try {
      answer(order, await orders[order]());
    } catch (error) {
      answer('failed', { order, error: String(error?.stack ?? error) });
    }
  });
  await new Promise(resolve => socket.addEventListener('close', resolve));
}
