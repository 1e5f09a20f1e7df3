/** @file Pure: models in words. */

import { fileSize } from './number-words.js';

/** @import { Keeping, ModelInfo } from './types.js' */

/** @type {Record<Keeping, string>} beside the model's name */
export const KEEPING_WORDS = {
  saved: 'on this device',
  'no-room': 'not saved: this device has no room',
  'from-files': 'from your files, not kept',
  removed: 'removed from this device, in use until you leave',
};

const LANGUAGES = new Intl.DisplayNames(['en'], { type: 'language' });
const AGO = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const DAY_MS = 86_400_000;

/** @param {ModelInfo} info */
export function isStored({ lastUsed, storedBytes, dtypes }) {
  return (
    lastUsed !== null && (storedBytes > 0 || Object.values(dtypes).some((file) => file.stored))
  );
}

/** @param {ModelInfo} info */
export function optionWords(info) {
  const bytes = isStored(info) ? info.storedBytes : usualBytes(info);
  return [info.title ?? info.id, bytes ? fileSize(bytes) : ''].filter(Boolean).join(' · ');
}

/** @param {ModelInfo} info */
export function aboutWords(info) {
  const sentence = info.recommendedFor ?? 'Loaded here before, by name, address or file.';
  const { languages = [], licence } = info;
  const facts = [
    isStored(info) ? onDeviceWords(info) : downloadWords(info),
    languages.map(languageWords).join(', '),
    licence ? `${licence} licence` : '',
  ];
  return { sentence, facts: facts.filter(Boolean) };
}

/** @param {ModelInfo} info */
export function storedWords({ storedBytes, lastUsed }) {
  const size = storedBytes ? `${fileSize(storedBytes)}, ` : '';
  return `${size}used ${lastUsed ? agoWords(lastUsed, new Date()) : 'never'}`;
}

/**
 * @param {{ modelBytes: number, usedBytes: number | null, quotaBytes: number | null, persisted: boolean }} usage
 */
export function usageWords({ modelBytes, usedBytes, quotaBytes, persisted }) {
  const site = usedBytes === null ? '' : ` This site uses ${fileSize(usedBytes)} in all`;
  const quota = quotaBytes === null ? '' : `, of ${fileSize(quotaBytes)} that it may use`;
  const promise = persisted
    ? ' The browser has promised not to clear it.'
    : ' The browser may clear it when room gets short.';
  return `Models take up ${fileSize(modelBytes)}.${site && `${site}${quota}.`}${promise}`;
}

/** @param {ModelInfo} info */
function onDeviceWords({ storedBytes }) {
  return storedBytes ? `On this device, ${fileSize(storedBytes)}` : 'On this device';
}

/**
 * What runs on WebAssembly, and what the library takes instead where there is a GPU for it.
 *
 * @param {ModelInfo} info
 */
function downloadWords(info) {
  const { fp16, fp32 } = info.dtypes;
  const usual = usualBytes(info);
  const gpu = (fp16 ?? fp32)?.bytes ?? 0;
  if (!usual) return 'Size not known before the download';
  const more = gpu > usual ? `, or ${fileSize(gpu)} to run on a graphics card` : '';
  return `${fileSize(usual)} download${more}`;
}

/** @param {ModelInfo} info */
function usualBytes({ dtypes: { q8, fp16, fp32 } }) {
  return (q8 ?? fp32 ?? fp16)?.bytes ?? 0;
}

/** @param {string} tag */
function languageWords(tag) {
  if (tag === 'multilingual') return 'Many languages';
  try {
    return LANGUAGES.of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/**
 * @param {Date} then
 * @param {Date} now
 */
function agoWords(then, now) {
  const days = Math.round(
    (now.setHours(0, 0, 0, 0) - new Date(then).setHours(0, 0, 0, 0)) / DAY_MS,
  );
  if (days < 30) return AGO.format(-Math.max(0, days), 'day');
  return AGO.format(-Math.round(days / 30.4), 'month');
}
