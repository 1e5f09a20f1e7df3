/** @file Pure: whether two answers of a host are of the same version of a file. */

/**
 * What changes with a file. A host on another origin shows scripts at most the date and the length.
 * @typedef {object} Validator
 * @property {string | null} etag
 * @property {string | null} date
 * @property {number} length as sent, perhaps compressed; 0 if not known
 */

/**
 * @param {Response} response
 * @returns {Validator} without the length, which a compressed answer or a part tells differently
 */
export function validatorOf({ headers }) {
  // Compressing on the way makes an ETag weak, or appends how.
  const etag = headers.get('etag')?.replace(/^W\//, '');
  return {
    etag: etag?.replace(/(-gzip|-br|;br|;gz|--gzip)"$/, '"') ?? null,
    date: headers.get('last-modified'),
    length: 0,
  };
}

/**
 * @param {Validator | null} one
 * @param {Validator | null} other
 * @returns {'same' | 'different' | 'unknown'}
 */
export function compare(one, other) {
  if (!one || !other) return 'unknown';
  if (one.etag && other.etag) return one.etag === other.etag ? 'same' : 'different';
  if (one.length && other.length && one.length !== other.length) return 'different';
  if (one.date && other.date) return one.date === other.date ? 'same' : 'different';
  return 'unknown'; // an equal length alone says little
}
