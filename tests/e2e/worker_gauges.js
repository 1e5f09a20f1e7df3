// Put before a worker's own code by gauges.py: keeps an eye on what the platform tells nobody.
self.gauges = {
  /** Every wasm memory, whoever makes it. */
  memories: new Set(),
  /** Listeners for 'abort' that are on some signal. */
  listeners: 0,
  /** Set in the Python worker, before the product's own Python starts. */
  pyodide: null,

  follow(pyodide) {
    gauges.pyodide = pyodide;
    // Keeps each proxy until it is destroyed, so one that is left to the garbage collector counts.
    pyodide._module.enable_pyproxy_allocation_tracing();
  },

  /** Free what Python can free, so that only what is in use is counted. */
  collect: () => gauges.pyodide?.runPython('import gc; gc.collect()'),

  read() {
    const numbers = { listeners: gauges.listeners, wasm: 0 };
    for (const { buffer } of gauges.memories) numbers.wasm += buffer.byteLength;
    if (!gauges.pyodide) return numbers;
    const { _module, runPython } = gauges.pyodide;
    return {
      ...numbers,
      'Python objects': runPython('import gc; len(gc.get_objects())'),
      'Python tasks': runPython('import asyncio; len(asyncio.all_tasks())'),
      PyProxies: _module.pyproxy_alloc_map.size,
      JsRefs: _module._hiwire_num_refs(),
    };
  },
};

{
  const { Memory, instantiate, instantiateStreaming } = WebAssembly;
  const keep = (memory) => (gauges.memories.add(memory), memory);
  WebAssembly.Memory = class extends Memory {
    constructor(options) {
      super(options);
      keep(this);
    }
  };
  const keepExported = (made) => {
    const { exports } = made.instance ?? made;
    Object.values(exports).filter((value) => value instanceof Memory).forEach(keep);
    return made;
  };
  WebAssembly.instantiate = async (...given) => keepExported(await instantiate(...given));
  WebAssembly.instantiateStreaming = async (...given) =>
    keepExported(await instantiateStreaming(...given));
}

{
  const { addEventListener, removeEventListener } = AbortSignal.prototype;
  const added = new WeakMap();
  AbortSignal.prototype.addEventListener = function (type, listener, options) {
    addEventListener.call(this, type, listener, options);
    const listeners = added.get(this) ?? new Set();
    added.set(this, listeners);
    if (type === 'abort' && !listeners.has(listener)) gauges.listeners++;
    listeners.add(listener);
  };
  AbortSignal.prototype.removeEventListener = function (type, listener, options) {
    removeEventListener.call(this, type, listener, options);
    if (type === 'abort' && added.get(this)?.delete(listener)) gauges.listeners--;
  };
}
