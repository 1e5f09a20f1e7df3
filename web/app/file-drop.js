/** @file Files and folders that are dropped onto a part of the page. */

/** A folder with more files is not one model. */
const MOST_FILES = 500;

/**
 * @param {HTMLElement} target
 * @param {(files: File[]) => void} onFiles none if the drop had no readable file
 */
export function fileDrop(target, onFiles) {
  /** @param {boolean} over */
  const mark = (over) => target.classList.toggle('is-drop-target', over);
  target.addEventListener('dragover', (event) => mark(heldBy(event) !== null));
  target.addEventListener('dragleave', (event) => {
    const to = event.relatedTarget;
    if (!(to instanceof Node && target.contains(to))) mark(false);
  });
  target.addEventListener('drop', (event) => {
    mark(false);
    const held = heldBy(event);
    if (held) void filesOf(held).then(onFiles);
  });
  // A drop beside the target would leave the page for the file.
  for (const name of /** @type {const} */ (['dragover', 'drop'])) {
    document.addEventListener(name, (event) => {
      const held = heldBy(event);
      if (!held) return;
      event.preventDefault();
      const inside = event.target instanceof Node && target.contains(event.target);
      held.dropEffect = inside ? 'copy' : 'none';
    });
  }
}

/**
 * @param {DragEvent} event
 * @returns {DataTransfer | null} null if it is text or a link that is dragged
 */
function heldBy({ dataTransfer }) {
  return dataTransfer?.types.includes('Files') ? dataTransfer : null;
}

/**
 * @param {DataTransfer} dataTransfer read at once: it is empty after the event
 * @returns {Promise<File[]>}
 */
async function filesOf({ items, files }) {
  const plain = [...files];
  const entries = [...items].map((item) => item.webkitGetAsEntry?.() ?? null);
  if (!entries.some((entry) => entry?.isDirectory)) return plain;
  /** @type {File[]} */
  const found = [];
  for (const entry of entries) if (entry) await collect(entry, found).catch(() => {});
  return found;
}

/**
 * @param {FileSystemEntry} entry
 * @param {File[]} found
 * @returns {Promise<void>}
 */
async function collect(entry, found) {
  if (found.length >= MOST_FILES || entry.name.startsWith('.')) return;
  if (entry.isFile) {
    const { file } = /** @type {FileSystemFileEntry} */ (entry);
    found.push(await new Promise((resolve, reject) => file.call(entry, resolve, reject)));
    return;
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return; // it tells a hundred at a time
    for (const child of some) await collect(child, found);
  }
}
