/** @file A button that opens the browser's file dialog. */

import { byId } from './by-id.js';

/**
 * @param {string} id of the button; its file input has the same with -input
 * @param {(files: File[]) => void} onFiles at least one file
 */
export function fileButton(id, onFiles) {
  const button = byId(id, HTMLButtonElement);
  const input = byId(`${id}-input`, HTMLInputElement);
  const asked = input.hasAttribute('webkitdirectory');
  button.hidden = asked && !('webkitdirectory' in input); // some phones know no folders
  button.addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    const files = [...(input.files ?? [])];
    input.value = ''; // the same file may be chosen again
    if (files.length) onFiles(files);
  });
}
