/**
 * @file Run by tools/compress.py in Node, whose zlib has brotli: compresses each FILE into
 * OUT/<name>.br and OUT/<name>.gz, several at once.
 *
 * Usage: node compress.mjs OUT NAME=FILE...
 */

import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const [, , out, ...jobs] = process.argv;

/** The highest is ten times slower and gains two per cent. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };

/**
 * @param {string} name
 * @param {Buffer} bytes
 */
async function keep(name, bytes) {
  await writeFile(join(out, `${name}.part`), bytes);
  await rename(join(out, `${name}.part`), join(out, name)); // whole or not at all
}

await Promise.all(
  jobs.map(async (job) => {
    const [name, file] = [job.slice(0, job.indexOf('=')), job.slice(job.indexOf('=') + 1)];
    const bytes = await readFile(file);
    await keep(`${name}.br`, await promisify(brotliCompress)(bytes, BROTLI));
    await keep(`${name}.gz`, await promisify(gzip)(bytes, { level: 9 }));
  }),
);
