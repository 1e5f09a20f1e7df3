// Collects the messages of errors from scripts: node messages.mjs FILE...
// Prints [{ file, line, code, text, retryable }] as JSON. What is put into a text at run time is
// shown as '…'; of a choice between texts, each is told. Of a text that is put together elsewhere,
// so that it cannot be read here, `text` is null.

import { readFileSync } from 'node:fs';
import { parse } from 'acorn';

const HOLE = '…';

/** Every node below one, with its ancestors. */
function* walk(node, parents = []) {
  if (!node || typeof node.type !== 'string') return;
  yield { node, parents };
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child && typeof child === 'object') yield* walk(child, [...parents, node]);
    }
  }
}

const isFunction = ({ type }) => type.includes('Function');

/** The constant of a name, as seen from a place: the nearest that encloses it. */
function constantOf(name, parents) {
  for (const scope of [...parents].reverse()) {
    const statements = Array.isArray(scope.body) ? scope.body : [];
    for (const statement of statements) {
      for (const { id, init } of statement.declarations ?? []) if (id.name === name) return init;
    }
    if (isFunction(scope) && scope.params.some((parameter) => parameter.name === name)) return null;
  }
  return null;
}

/** All texts that an expression can be; a part that is only known at run time is a hole. */
function textsOf(node, parents) {
  if (!node) return [HOLE];
  if (node.type === 'Literal' && typeof node.value === 'string') return [node.value];
  if (node.type === 'ConditionalExpression') {
    return [...textsOf(node.consequent, parents), ...textsOf(node.alternate, parents)];
  }
  if (node.type === 'BinaryExpression' && node.operator === '+') {
    return joined([textsOf(node.left, parents), textsOf(node.right, parents)]);
  }
  if (node.type === 'TemplateLiteral') {
    const parts = node.quasis.flatMap(({ value }, place) => {
      const hole = node.expressions[place];
      return hole ? [[value.cooked], textsIn(hole, parents)] : [[value.cooked]];
    });
    return joined(parts);
  }
  if (node.type === 'Identifier') {
    const constant = constantOf(node.name, parents);
    return constant ? textsOf(constant, parents) : [HOLE];
  }
  return [HOLE];
}

/** In a template: what is a text, or a choice of texts, is told; anything else is a hole. */
function textsIn(node, parents) {
  const texts = textsOf(node, parents);
  const isKnown = node.type === 'ConditionalExpression' || !texts.join().includes(HOLE);
  return isKnown ? texts : [HOLE];
}

const joined = (parts) =>
  parts.reduce((texts, more) => texts.flatMap((text) => more.map((next) => text + next)), ['']);

/** Whether the options given to an error say if asking again can help; null if they do not. */
function retryableOf(options) {
  const property = options?.properties?.find(({ key }) => key?.name === 'retryable');
  return typeof property?.value.value === 'boolean' ? property.value.value : null;
}

/** The arguments that make an error: its code, its message, its options. */
function makingOf(node) {
  const { type, callee, arguments: given } = node;
  if (type === 'NewExpression' && callee.name === 'RerankError') return given;
  if (type === 'CallExpression' && callee.name === 'asRerankError') return given.slice(1);
  return null;
}

/** The function around a place and the name it is called by. */
function makerAround(parents) {
  const place = parents.findLastIndex(isFunction);
  const made = parents[place];
  return made && { name: made.id?.name ?? parents[place - 1]?.id?.name, params: made.params };
}

const files = process.argv.slice(2).map((file) => {
  const source = readFileSync(file, 'utf-8');
  return { file, tree: parse(source, { ecmaVersion: 'latest', sourceType: 'module', locations: true }) };
});

const found = [];
/** Functions that make an error of the message they are given, such as `invalid`. */
const makers = new Map();

function tell(file, node, [code, message, options], parents) {
  const place = { file, line: node.loc.start.line, retryable: retryableOf(options) };
  const orNull = (text) => (text === HOLE ? null : text);
  for (const one of textsOf(code, parents)) {
    for (const text of textsOf(message, parents)) {
      found.push({ ...place, code: orNull(one), text: orNull(text) });
    }
  }
}

for (const { file, tree } of files) {
  for (const { node, parents } of walk(tree)) {
    const making = makingOf(node);
    if (!making) continue;
    const maker = makerAround(parents);
    const [code, message, options] = making;
    const place = maker?.params.findIndex(({ name }) => name && name === message?.name) ?? -1;
    if (place >= 0 && maker.name) makers.set(maker.name, { place, code, options });
    else tell(file, node, making, parents);
  }
}
for (const { file, tree } of files) {
  for (const { node, parents } of walk(tree)) {
    const maker = node.type === 'CallExpression' && makers.get(node.callee.name);
    if (!maker || node.callee.name === 'asRerankError') continue;
    tell(file, node, [maker.code, node.arguments[maker.place], maker.options], parents);
  }
}
console.log(JSON.stringify(found));
