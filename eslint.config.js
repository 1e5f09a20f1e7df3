import js from '@eslint/js';
import globals from 'globals';

export default [
  { ignores: ['dist/', 'node_modules/', '.venv/', '.build/'] },
  js.configs.recommended,
  {
    files: ['web/**/*.js'],
    languageOptions: { globals: { ...globals.browser } },
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      'no-implied-eval': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: "CallExpression[callee.name='eval']", message: 'The page forbids eval.' },
        {
          selector: "AssignmentExpression[left.property.name='innerHTML']",
          message: 'Set textContent or build elements: user text must never be read as HTML.',
        },
      ],
    },
  },
  {
    files: ['web/workers/**/*.js', 'web/sw.js'],
    languageOptions: { globals: { ...globals.worker, ...globals.serviceworker } },
  },
  {
    files: ['tests/js/**/*.js'],
    languageOptions: { globals: { ...globals.node, self: 'readonly' } },
  },
  {
    files: ['bench/pages/**/*.js'],
    languageOptions: { globals: { ...globals.browser, ...globals.worker } },
  },
];
