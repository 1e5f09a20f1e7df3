/**
 * @file Imported first by a copy of dist/'s session worker: tells the page when each run of its
 * session began and ended, in ms since the epoch.
 */

import { InferenceSession } from './vendor/ort/ort.wasm.min.mjs'; // bench/site.py knows its folder

const channel = new BroadcastChannel('webrerank-bench-runs');
const now = () => performance.timeOrigin + performance.now();
const create = InferenceSession.create.bind(InferenceSession);

InferenceSession.create = async (...values) => {
  const session = await create(...values);
  const run = session.run.bind(session);
  session.run = async (...feeds) => {
    const begun = now();
    const outputs = await run(...feeds);
    channel.postMessage({ session: self.name, begun, ended: now() });
    return outputs;
  };
  return session;
};
