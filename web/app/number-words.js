/** @file Pure: numbers as people read them. */

const MEGABYTE = 1_000_000;

/**
 * @param {number} loadedBytes
 * @param {number} totalBytes
 * @returns {string} such as "12 of 34 MB"; one decimal where whole megabytes would hide the movement
 */
export function megabytes(loadedBytes, totalBytes) {
  const digits = totalBytes < 10 * MEGABYTE ? 1 : 0;
  const loaded = Math.min(loadedBytes, totalBytes);
  return `${(loaded / MEGABYTE).toFixed(digits)} of ${(totalBytes / MEGABYTE).toFixed(digits)} MB`;
}

/**
 * @param {number} bytes
 * @returns {string} such as "8.4 MB", "279 MB" or "1.1 GB"
 */
export function fileSize(bytes) {
  const [unit, size] =
    bytes < 999.5 * MEGABYTE ? ['MB', bytes / MEGABYTE] : ['GB', bytes / (1000 * MEGABYTE)];
  return `${size.toFixed(size > 0 && size < 9.95 ? 1 : 0)} ${unit}`;
}

/**
 * @param {number} ms
 * @returns {string} such as "412 ms" or "3.1 s"
 */
export function duration(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/**
 * @param {number} number
 * @param {string} noun
 * @returns {string} such as "1 document" or "3 documents"
 */
export function count(number, noun) {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/**
 * @param {number} score in [0, 1]
 * @returns {string} three decimals, and never a "0.000" for what is not nothing
 */
export function scoreText(score) {
  return score > 0 && score < 0.0005 ? '<0.001' : score.toFixed(3);
}
