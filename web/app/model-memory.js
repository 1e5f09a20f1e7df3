/** @file The model of the last visit. A browser that keeps nothing forgets it, which is no error. */

const KEY = 'webrerank:model';

/** @returns {string | null} */
export function recallModel() {
  try {
    return localStorage.getItem(KEY) || null;
  } catch {
    return null;
  }
}

/** @param {string} name */
export function rememberModel(name) {
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // The next visit starts with the bundled model.
  }
}

/** @param {string} [name] only if it is this one */
export function forgetModel(name) {
  try {
    if (name === undefined || recallModel() === name) localStorage.removeItem(KEY);
  } catch {
    // It was never kept.
  }
}
