/**
 * @file Run by tools/precompile.py in Node: compiles Python's standard library and the wheels to
 * .pyc with the very interpreter that will read them, and takes a snapshot of a booted one.
 *
 * Usage: node precompile.mjs PYODIDE_FOLDER OUT_FOLDER WHEEL...
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';

const [folder, out, ...wheels] = process.argv.slice(2).map((path) => resolve(path));
const { loadPyodide } = await import(pathToFileURL(join(folder, 'pyodide.mjs')).href);

/** Kept out of the wheels: what only compilers, type checkers and their own tests read. */
const LEFT_OUT = ['/tests/', '/include/', 'numpy/f2py/', '.pyi', '.pxd', '.a', '.h'];

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

const COMPILE = `
import zipfile
from importlib._bootstrap_external import _code_to_timestamp_pyc

def compile_archive(source, target, left_out):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            if name.endswith("/") or any(name.endswith(p) or p in name for p in left_out):
                continue
            data = old.read(name)
            if name.endswith(".py"):
                # Asserts and __debug__ go, docstrings stay: numpy reads its own.
                code = compile(data, name, "exec", dont_inherit=True, optimize=1)
                name, data = name + "c", bytes(_code_to_timestamp_pyc(code, 0, 0))
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, data)
compile_archive
`;

const plain = await loadPyodide({ indexURL: folder });
const compileArchive = plain.runPython(COMPILE);
for (const path of [join(folder, 'python_stdlib.zip'), ...wheels]) {
  const name = path.slice(folder.length + 1);
  plain.FS.writeFile('/tmp/source', readFileSync(path));
  const leftOut = plain.toPy(wheels.includes(path) ? LEFT_OUT : []);
  compileArchive('/tmp/source', '/tmp/target', leftOut);
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
