// In a browser: the document's own `fleet` says what to show and who drives it.
import './probe';
import * as frontend from './frontend';
import { serve } from './session';

async function heap() {
  globalThis.gc();
  await new Promise(resolve => setTimeout(resolve, 0));
  globalThis.gc();
  return performance.memory.usedJSHeapSize;
}

serve({ ...window.fleet, heap, frontend });
