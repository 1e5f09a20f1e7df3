/** @file The release; the same in py_src/webrerank/__init__.py and CHANGELOG.md, by test. */
export const VERSION = '0.1.0';
