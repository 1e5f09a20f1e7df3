/** @file webrerank with recorded runs: which session computed when. */

import { load as loadFolder, read as readAnswer, rerank } from './webrerank.js';

let runs = [];
const channel = new BroadcastChannel('webrerank-bench-runs');
channel.onmessage = ({ data }) => runs.push(data);

export const load = () => loadFolder({ folder: 'recorded' });
export { rerank };

export async function read(answer) {
  await new Promise((resolve) => setTimeout(resolve, 100)); // the last messages may be on the way
  const { logits, details } = readAnswer(answer);
  const recorded = runs;
  runs = [];
  return { logits, details: { ...details, runs: recorded } };
}
