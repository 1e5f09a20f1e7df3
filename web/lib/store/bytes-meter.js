/** @file Adds up the bytes of several files for one progress. */

/** @typedef {import('./sources.js').FileSpec} FileSpec */
/** @typedef {import('../../webrerank.js').LoadProgress} LoadProgress */

export class BytesMeter {
  /** @type {Map<string, { loaded: number, total: number }>} */
  #files;
  #onProgress;

  /**
   * @param {(FileSpec | null)[]} specs
   * @param {(progress: LoadProgress) => void} onProgress
   */
  constructor(specs, onProgress) {
    const known = specs.filter((spec) => spec !== null);
    this.#files = new Map(known.map(({ path, bytes }) => [path, { loaded: 0, total: bytes }]));
    this.#onProgress = onProgress;
  }

  /**
   * Told only when all files are loaded, so that phases do not go back and forth.
   * @param {FileSpec} spec
   */
  verify(spec) {
    const { loaded = 0, total = 0 } = this.#files.get(spec.path) ?? {};
    const done = [...this.#files.values()].every((file) => file.loaded === file.total);
    if (done) this.tell('verify', spec, loaded, total, false);
  }

  /**
   * Nothing new, but a sign that this worker is alive while it waits.
   * @param {FileSpec} spec
   */
  alive(spec) {
    const { loaded = 0, total = 0 } = this.#files.get(spec.path) ?? {};
    this.tell('download', spec, loaded, total, false);
  }

  /**
   * @param {'download' | 'verify'} phase
   * @param {FileSpec} spec
   * @param {number} loaded
   * @param {number} total 0 if not known
   * @param {boolean} fromCache
   */
  tell(phase, spec, loaded, total, fromCache) {
    const before = this.#files.get(spec.path)?.total ?? 0;
    this.#files.set(spec.path, { loaded, total: Math.max(total, before, loaded) });
    const all = [...this.#files.values()];
    this.#onProgress({
      phase,
      loadedBytes: all.reduce((sum, file) => sum + file.loaded, 0),
      totalBytes: all.reduce((sum, file) => sum + file.total, 0),
      file: spec.path,
      fromCache,
    });
  }
}
