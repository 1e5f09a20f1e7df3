/** @file A peer's module in a worker: answers one call after the other. */

self.onmessage = async ({ data: { url, name, values } }) => {
  try {
    const module = await import(url);
    const answer = await module[name](...values);
    // What cannot be cloned stays here: only the numbers travel.
    self.postMessage({ answer: name === 'rerank' ? await module.read(answer) : null });
  } catch (error) {
    self.postMessage({ error: String(error?.message ?? error) });
  }
};
