/** @file Pyodide's npm package as it is, and the numpy wheel that its lock file names. */

import { loadPyodide } from '/plain-pyodide/pyodide.mjs';

const folder = new URL('/plain-pyodide/', location.origin).href;
const pyodide = await loadPyodide({ indexURL: folder, packageBaseUrl: folder });
await pyodide.loadPackage('numpy', { messageCallback() {} });
pyodide.runPython('import numpy; assert numpy.arange(3).sum() == 3');
self.postMessage({ type: 'ready' });
