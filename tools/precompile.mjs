/**
 * @file Run by tools/precompile.py in Node: compiles Python's standard library and the wheels to
 * .pyc with the very interpreter that will read them, and takes a snapshot of a booted one.
 *
 * Usage: node precompile.mjs PYODIDE_FOLDER OUT_FOLDER MODULES WHEEL...
 * MODULES: the standard library modules that our own package imports, with commas between.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';

const [, , ...words] = process.argv;
const [own] = words.splice(2, 1);
const [folder, out, ...wheels] = words.map((path) => resolve(path));
const { loadPyodide } = await import(pathToFileURL(join(folder, 'pyodide.mjs')).href);

/**
 * Kept out of the wheels: what only compilers, type checkers and their own tests read, and the parts
 * of numpy that webrerank does not use. Pyodide links each binary of a wheel that it loads, so their
 * eleven delay every start.
 */
const LEFT_OUT = {
  endings: ['.pyi', '.pxd', '.a', '.h'],
  places: [
    '/tests/',
    '/include/',
    'numpy/_pyinstaller/',
    'numpy/core/',
    'numpy/f2py/',
    'numpy/fft/',
    'numpy/linalg/lapack_lite',
    'numpy/polynomial/',
    'numpy/random/',
    'numpy/testing/',
  ],
};

const NOTHING = { endings: [], places: [] };

/**
 * Imported before the snapshot is taken: what the packages need of the standard library. They
 * themselves cannot be in it: numpy has binary parts, micropip holds JavaScript objects.
 */
const IMPORTED = [
  ...['asyncio', 'ctypes', 'dataclasses', 'datetime', 'email.parser', 'encodings.cp437'],
  ...['hashlib', 'html.parser', 'importlib.metadata', 'ipaddress', 'json', 'numbers', 'pathlib'],
  ...['pickle', 'platform', 'pyodide.ffi', 'shutil', 'sysconfig', 'tarfile', 'typing'],
  ...['urllib.parse', 'zipfile'],
];

/** Imported late, on paths that a start does not take: errors, warnings, random numbers. */
const LATE = ['_strptime', 'bisect', 'contextlib', 'csv', 'linecache', 'random', 'textwrap'];
LATE.push('token', 'tokenize', 'traceback', 'warnings');

const COMPILE = `
import sys, zipfile
from importlib._bootstrap_external import _code_to_timestamp_pyc

def top(name):
    return name.split("/")[0].removesuffix(".py").split(".")[0]

def compile_archive(source, target, left_out, kept):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            if name.endswith(("/", *left_out["endings"])):
                continue
            if any(place in name for place in left_out["places"]):
                continue
            if kept and top(name) not in kept:
                continue
            data = old.read(name)
            if name.endswith(".py"):
                # Asserts and __debug__ go, docstrings stay: numpy reads its own.
                code = compile(data, name, "exec", dont_inherit=True, optimize=1)
                name, data = name + "c", bytes(_code_to_timestamp_pyc(code, 0, 0))
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, data, compresslevel=9)

def loaded():
    return {name.split(".")[0] for name in sys.modules}

loaded, compile_archive
`;

const plain = await loadPyodide({ indexURL: folder, packageBaseUrl: folder });
const [loaded, compileArchive] = plain.runPython(COMPILE);
await plain.loadPackage(['numpy', 'micropip']);
plain.runPython(`import numpy, micropip, ${[...IMPORTED, ...LATE, ...own.split(',')].join(', ')}`);
// micropip asks for these when it installs; the module behind them has no name to import it by.
plain.runPython('import sysconfig; sysconfig.get_config_vars()');
const kept = loaded();
for (const path of [join(folder, 'python_stdlib.zip'), ...wheels]) {
  const name = path.slice(folder.length + 1);
  plain.FS.writeFile('/tmp/source', readFileSync(path));
  // Of the standard library only what is used, by whole packages.
  const [leftOut, keep] = wheels.includes(path) ? [LEFT_OUT, []] : [NOTHING, kept];
  compileArchive('/tmp/source', '/tmp/target', plain.toPy(leftOut), keep);
  writeFileSync(join(out, name), plain.FS.readFile('/tmp/target'));
}

const compiled = await loadPyodide({
  indexURL: folder,
  stdLibURL: join(out, 'python_stdlib.zip'),
  _makeSnapshot: true,
});
compiled.runPython(`import gc, ${IMPORTED.join(', ')}; gc.collect()`);
writeFileSync(join(out, 'python.snapshot'), gzipSync(compiled.makeMemorySnapshot()));
process.exit(0); // Pyodide keeps Node alive
