// Small changes of a JavaScript file: node javascript_mutants.mjs FILE prints them as JSON.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// espree comes with eslint.
const require = createRequire(new URL('../../package.json', import.meta.url));
const { parse } = createRequire(require.resolve('eslint/package.json'))('espree');

const text = readFileSync(process.argv[2], 'utf-8');
const SIGNS = {
  ...{ '<': '<=', '<=': '<', '>': '>=', '>=': '>', '===': '!==', '!==': '===' },
  ...{ '+': '-', '-': '+', '*': '/', '/': '*', '%': '*' },
  ...{ '&&': '||', '||': '&&', '??': '&&' },
};
const NAMES = { min: 'max', max: 'min', some: 'every', every: 'some' };
const found = [];

/** What is put in place of a node, each as [start, end, new]. */
const changes = {
  BinaryExpression: signed,
  LogicalExpression: signed,
  UnaryExpression: (node) => (node.operator === '!' ? [[node.start, node.argument.start, '']] : []),
  Literal: ({ start, end, value }) =>
    typeof value === 'boolean' || typeof value === 'number'
      ? [[start, end, String(typeof value === 'number' ? value + 1 : !value)]]
      : [],
  MemberExpression: ({ property: { start, end, name } }) =>
    Object.hasOwn(NAMES, name) ? [[start, end, NAMES[name]]] : [],
  IfStatement: negated,
  ConditionalExpression: negated,
  WhileStatement: negated,
  ReturnStatement: ({ argument }) =>
    argument ? [[argument.start, argument.end, 'undefined']] : [],
  ExpressionStatement: ({ start, end, directive }) => (directive ? [] : [[start, end, ';']]),
  ThrowStatement: ({ start, end }) => [[start, end, ';']],
};

function signed({ left, right, operator }) {
  const at = text.indexOf(operator, left.end);
  if (!SIGNS[operator] || at < 0 || at >= right.start) return [];
  if (operator === '+' && [left, right].some(isText)) return [];
  return [[at, at + operator.length, SIGNS[operator]]];
}

const isText = ({ type, value, left, right }) =>
  type === 'TemplateLiteral' ||
  typeof value === 'string' ||
  [left, right].some((side) => side && isText(side));

function negated({ test: { start, end } }) {
  return [[start, end, `!(${text.slice(start, end)})`]];
}

/** Whether a name in capitals gets a number: a size that was chosen. */
const isSize = ({ type, id, init }) =>
  type === 'VariableDeclarator' && /^[A-Z_]+$/.test(id.name) && init?.type === 'Literal';

function visit(node, place, statement) {
  if (isSize(node)) return;
  const named = node.key?.name ?? node.id?.name;
  const isPlace = /^(MethodDefinition|FunctionDeclaration|ClassDeclaration)$/.test(node.type);
  const here = isPlace && named ? `${place}.${named}` : place;
  const around = /Statement|Declaration|Definition/.test(node.type) ? node.loc : statement;
  for (const [start, end, fresh] of changes[node.type]?.(node) ?? []) {
    const lines = [around.start.line, around.end.line];
    found.push({ place: here.slice(1) || 'module', lines, span: [start, end], new: fresh });
  }
  for (const [name, value] of Object.entries(node)) {
    if (name === 'loc') continue;
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child?.type === 'string') visit(child, here, around);
    }
  }
}

const tree = parse(text, { ecmaVersion: 'latest', sourceType: 'module', loc: true });
visit(tree, '', tree.loc);
console.log(JSON.stringify(found));
