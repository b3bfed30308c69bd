// Takes out of the browser's first WASM file what the first page does not call, into a file that
// comes later; or makes that file tell what it calls. Called by ./wasm-opt, between the optimiser's two runs.
//
//   split.mjs split LATE_FUNCTIONS IN.wat FIRST.wat LATE.wat LOADER.js
//   split.mjs instrument NAMES IN.wat OUT.wat LOADER.js

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stableName } from './symbols.mjs';
import { ID, moduleOf, nameOf, readForms, signature } from './text.mjs';

/** The script beside the WASM files, which their imports name; cargo-leptos puts a hash for the line. */
const LOADER = './__wasm_split.______________________.js';
/** Where the first file finds what comes later: a table that the late file fills. */
const TABLE = '$late';
/** The table that pointers to functions are numbers of. */
const POINTERS = '$0';

const ROW = new RegExp(String.raw`^\(elem ${ID} \(table (${ID})\) \(i32\.const (\d+)\) (.*)\)$`, 's');
const IDS = new RegExp(String.raw`(${ID})`);
const OWNED = new RegExp(String.raw`^\(\w+ (${ID}) (.*)\)$`, 's');

const read = (file) => readFileSync(file, 'utf8');

/** Whether the optimiser made the function, of what several have in common: its number is another in each build. */
const isNameless = (id) => /^\d+$/.test(nameOf(id));

/**
 * What a function is listed by: short, since a few thousand are, and the same in every build of the
 * same source. Empty for one without a name.
 */
export const mark = (id) =>
  isNameless(id) ? '' : createHash('sha256').update(stableName(nameOf(id))).digest('base64url').slice(0, 8);

/**
 * The two modules. Where the first one calls a late function by name there is a stub, which fetches
 * the late file unless it is there, and calls on by a table of its own. In the table that pointers to functions are numbers
 * of, late ones are missing until their file comes: the first module looks before it calls by number.
 */
export function split(forms, isLate) {
  const { late, kept } = divide(forms, isLate);
  const named = uses(kept.filter(({ kind }) => kind !== 'elem'));
  const stubs = [...late.values()].filter(({ id }) => named.has(id));
  const byLate = uses([...late.values()]);
  const shared = kept.filter(({ id }) => byLate.has(id));
  const owned = forms.flatMap(ownedByFirst);
  // A row of nothing holds the place of what is cut out by name.
  const pointers = forms.filter(({ kind }) => kind === 'elem').map(readPointers).filter(({ ids }) => ids.some(Boolean));
  const table = `${TABLE} ${stubs.length} ${stubs.length} funcref`;
  const number = (index) => `(i32.const ${index})`;

  const stub = ({ id, params, results }, index) => {
    const parameters = params.map((type, at) => ` (param $${at} ${type})`).join('');
    const operands = params.map((_, at) => ` (local.get $${at})`).join('');
    return `(func ${id}${parameters}${results.map((type) => ` (result ${type})`).join('')}
  (call $fetch_late)
  (call_indirect ${TABLE}${signature({ params, results })}${operands} ${number(index)}))`;
  };
  const first = [
    ...kept.filter(({ kind }) => BEFORE_IMPORTS.has(kind)),
    ...kept.filter(({ kind }) => kind === 'import'),
    `(import "${LOADER}" "__wasm_split_late" (func $load_late))`,
    ...kept.filter(({ kind }) => !BEFORE_IMPORTS.has(kind) && !['import', 'elem'].includes(kind)).map(looking),
    `(table ${table})`,
    `(func $fetch_late (if (ref.is_null (table.get ${TABLE} ${number(0)})) (then (call $load_late))))`,
    `(func $look (param $0 i32) (result i32)
  (if (ref.is_null (table.get ${POINTERS} (local.get $0))) (then (call $fetch_late)))
  (local.get $0))`,
    ...pointers.map(({ begin, ids }) => pointersOf(begin, ids.map((id) => (late.has(id) ? undefined : id)))),
    ...stubs.map(stub),
    `(export "~late" (table ${TABLE}))`,
    ...owned.map(({ kind, id, name }) => `(export "${name}" (${kind} ${id}))`),
    ...shared.map(({ id }, at) => `(export "~${at.toString(36)}" (func ${id}))`),
  ];
  const second = [
    ...forms.filter(({ kind }) => BEFORE_IMPORTS.has(kind)),
    `(import "first" "~late" (table ${table}))`,
    ...owned.map(({ kind, id, name, type }) => `(import "first" "${name}" (${kind} ${id} ${type}))`),
    ...shared.map((form, at) => `(import "first" "~${at.toString(36)}" (func ${form.id}${signature(form)}))`),
    `(elem (table ${TABLE}) ${number(0)} func ${stubs.map(({ id }) => id).join(' ')})`,
    ...pointers.flatMap(({ begin, ids }) => runs(ids, (id) => late.has(id)).map(([at, run]) => `(elem (table ${POINTERS}) ${number(begin + at)} func ${run.join(' ')})`)),
    ...late.values(),
  ];
  const text = (parts) => moduleOf(parts.map((part) => part.text ?? part));
  return { first: text(first), late: text(second), count: late.size };
}

const BEFORE_IMPORTS = new Set(['type', 'rec']);

const uses = (forms) => new Set(forms.flatMap((form) => form.uses ?? []));

/** Late functions by their ids, and everything else. */
function divide(forms, isLate) {
  const late = new Map(forms.filter((form) => form.kind === 'func' && isLate(form.id)).map((form) => [form.id, form]));
  for (;;) {
    const kept = forms.filter((form) => !late.has(form.id));
    const used = uses(kept);
    // What has no name of its own comes with those who call it.
    const alone = kept.filter(({ kind, id }) => kind === 'func' && isNameless(id) && !used.has(id));
    if (alone.length === 0) return { late, kept };
    for (const form of alone) late.set(form.id, form);
  }
}

/** The function's text, in which every call by number looks first. */
function looking(form) {
  if (form.kind !== 'func' || !form.text.includes('(call_indirect')) return form;
  const lines = form.text.split('\n');
  const indent = (line) => /^ */.exec(line)[0].length;
  const before = lines.map(() => '');
  lines.forEach((line, at) => {
    if (!line.trimStart().startsWith('(call_indirect')) return;
    const depth = indent(line);
    let last, end;
    for (end = at + 1; indent(lines[end]) > depth; end += 1) if (indent(lines[end]) === depth + 1 && lines[end].trimStart() !== ')') last = end;
    // The number is the last of what is handed over.
    before[last] += '(call $look\n';
    before[end] += ')\n';
  });
  return { ...form, text: lines.map((line, at) => before[at] + line).join('\n') };
}

/** Where a row of pointers begins, and the functions in it; undefined for none. */
function readPointers({ text }) {
  const [, table, begin, row] = ROW.exec(text) ?? [];
  if (table !== POINTERS) throw new Error(`not understood: ${text.slice(0, 200)}`);
  const ids = row.startsWith('func ')
    ? row.slice(5).trim().split(IDS).filter((id) => id.startsWith('$'))
    : row.split('(item ').slice(1).map((item) => /ref\.func ([^)]*)/.exec(item)?.[1]);
  return { begin: Number(begin), ids };
}

function pointersOf(begin, ids) {
  return `(elem (table ${POINTERS}) (i32.const ${begin}) funcref ${ids.map((id) => (id ? `(ref.func ${id})` : '(ref.null func)')).join(' ')})`;
}

/** The stretches of a list that pass, each with its place. */
function runs(list, passes) {
  const found = [];
  list.forEach((item, at) => {
    if (!passes(item)) return;
    if (at > 0 && passes(list[at - 1])) found.at(-1)[1].push(item);
    else found.push([at, [item]]);
  });
  return found;
}

/** Memory, tables and variables, which both modules use. */
function ownedByFirst({ kind, text }) {
  const [, id, type] = OWNED.exec(text) ?? [];
  switch (kind) {
    case 'memory':
    case 'table':
      return [{ kind, id, type, name: `~${kind}${id}` }];
    case 'global':
      return [{ kind, id, type: /^(\(mut \w+\)|\w+)/.exec(type)[1], name: `~${kind}${id}` }];
    default:
      return [];
  }
}

/** The module, each function of which first tells its number. */
export function instrument(forms) {
  const functions = forms.filter(({ kind }) => kind === 'func');
  const numbers = new Map(functions.map(({ id }, number) => [id, number]));
  const told = ({ id, text }) => {
    const [head, ...body] = text.split('\n');
    const locals = body.findIndex((line) => !line.startsWith('  (local '));
    return [head, ...body.slice(0, locals), `  (call $hit (i32.const ${numbers.get(id)}))`, ...body.slice(locals)].join('\n');
  };
  return {
    text: moduleOf([
      ...forms.filter(({ kind }) => kind === 'type' || kind === 'rec').map(({ text }) => text),
      `(import "${LOADER}" "__wasm_split_hit" (func $hit (param i32)))`,
      ...forms.filter(({ kind }) => kind !== 'type' && kind !== 'rec').map((form) => (form.kind === 'func' ? told(form) : form.text)),
    ]),
    marks: functions.map(({ id }) => mark(id)),
  };
}

function extendLoader(file, addition) {
  const CALLS = 'await callee();';
  const loader = read(file);
  if (!loader.includes(CALLS)) throw new Error(`${file} is not as cargo-leptos used to write it`);
  const folder = dirname(fileURLToPath(import.meta.url));
  // What is cut out of the source by name may call what is late: it comes with it.
  writeFileSync(file, loader.replace(CALLS, 'await Promise.all([callee(), fetchLate()]);') + read(join(folder, addition)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , mode, list, input, ...files] = process.argv;
  const forms = readForms(read(input));
  if (mode === 'split') {
    const [firstFile, lateFile, loader] = files;
    const marks = new Set(read(list).split('\n').filter((line) => line !== ''));
    const { first, late, count } = split(forms, (id) => marks.has(mark(id)));
    if (count === 0) throw new Error(`${list} names no function of this program: run \`make profile\``);
    writeFileSync(firstFile, first);
    writeFileSync(lateFile, late);
    extendLoader(loader, 'late.js');
  } else {
    const [output, loader] = files;
    const { text, marks } = instrument(forms);
    writeFileSync(output, text);
    writeFileSync(list, marks.join('\n'));
    extendLoader(loader, 'hits.js');
  }
}
