// In Node: `node --expose-gc headlamp-node FILE`, with JSON that says what to show; ends with its driver's socket.
import { fleet } from './window';
import './probe';
import * as frontend from './frontend';
import { serve } from './session';

async function heap() {
  globalThis.gc();
  await new Promise(resolve => setTimeout(resolve, 0));
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

await serve({ ...fleet, heap, frontend });
process.exit(0);
