// `node --test`, with binaryen's wasm-as on PATH: what the two halves of a module do together.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { instrument, mark, split } from './split.mjs';
import { stableName } from './symbols.mjs';
import { nameOf, readForms } from './text.mjs';

const LOADER = './__wasm_split.______________________.js';

/** As binaryen writes it. `$hot` is called first; `$cold` by name and by number; `$7` by cold ones alone. */
const TEXT = `(module
 (type $0 (func (param i32) (result i32)))
 (import "host" "add" (func $add (param i32 i32) (result i32)))
 (global $counter (mut i32) (i32.const 0))
 (memory $0 1)
 (data $greeting (i32.const 16) "\\2a")
 (table $0 5 5 funcref)
 (elem $0 (table $0) (i32.const 1) func $hot $cold $"cold one \\"quoted\\"")
 (elem $1 (table $0) (i32.const 4) funcref (item (ref.null nofunc)))
 (export "memory" (memory $0))
 (export "hot" (func $hot))
 (export "by_name" (func $by_name))
 (export "by_number" (func $by_number))
 (export "cold" (func $cold))
 (func $hot (param $0 i32) (result i32)
  (global.set $counter
   (i32.add
    (global.get $counter)
    (i32.const 1)
   )
  )
  (i32.load8_u
   (local.get $0)
  )
 )
 (func $by_name (param $0 i32) (result i32)
  (call $cold
   (local.get $0)
  )
 )
 (func $by_number (param $0 i32) (param $1 i32) (result i32)
  (call_indirect $0 (type $0)
   (call_indirect $0 (type $0)
    (local.get $0)
    (i32.const 1)
   )
   (i32.add
    (local.get $1)
    (i32.const 1)
   )
  )
 )
 (func $cold (param $0 i32) (result i32)
  (local $1 i32)
  (call $7
   (call $hot
    (local.get $0)
   )
  )
 )
 (func $"cold one \\"quoted\\"" (param $0 i32) (result i32)
  (call $7
   (global.get $counter)
  )
 )
 (func $7 (param $0 i32) (result i32)
  (call $add
   (local.get $0)
   (i32.const 100)
  )
 )
 ;; custom section "producers", size 1
)
`;

const isCold = (id) => nameOf(id).startsWith('cold');

function assemble(text) {
  const folder = mkdtempSync(join(tmpdir(), 'split-test-'));
  try {
    writeFileSync(join(folder, 'in.wat'), text);
    execFileSync('wasm-as', ['--mvp-features', '--enable-reference-types', '--enable-bulk-memory', '--enable-mutable-globals', join(folder, 'in.wat'), '-o', join(folder, 'out.wasm')], { stdio: ['ignore', 'ignore', 'pipe'] });
    return new WebAssembly.Module(readFileSync(join(folder, 'out.wasm')));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Both halves, the late one instantiated when it is first needed; how often it was is counted. */
function run(text, isLate) {
  const { first, late, count } = split(readForms(text), isLate);
  const lateModule = assemble(late);
  const state = { count, fetched: 0 };
  const load = () => {
    state.fetched += 1;
    new WebAssembly.Instance(lateModule, { first: state.exports });
  };
  state.load = load;
  state.exports = new WebAssembly.Instance(assemble(first), {
    host: { add: (a, b) => a + b },
    [LOADER]: { __wasm_split_late: load },
  }).exports;
  return state;
}

test('what comes later is fetched once, where it is first called', () => {
  const byName = run(TEXT, isCold);
  assert.equal(byName.count, 3, 'two of the list, and what only they call');
  assert.equal(byName.exports.hot(16), 42);
  assert.equal(byName.fetched, 0);
  assert.equal(byName.exports.by_name(16), 142);
  assert.equal(byName.exports.by_name(16), 142);
  assert.equal(byName.fetched, 1);

  const byNumber = run(TEXT, isCold);
  assert.equal(byNumber.exports.by_number(16, 0), 0, 'what is there is called without it');
  assert.equal(byNumber.fetched, 0);
  assert.equal(byNumber.exports.by_number(16, 2), 103, 'memory, variables and the host are the same ones');
  assert.equal(byNumber.exports.by_number(16, 1), 100);
  assert.equal(byNumber.fetched, 1);

  const byExport = run(TEXT, isCold);
  assert.equal(byExport.exports.cold(16), 142);
  assert.equal(byExport.fetched, 1);
});

test('fetched ahead, it is not fetched again', () => {
  const ahead = run(TEXT, isCold);
  ahead.load();
  assert.equal(ahead.exports.by_name(16), 142);
  assert.equal(ahead.exports.by_number(16, 2), 102);
  assert.equal(ahead.fetched, 1);
});

test('a place in the table that stays empty is no reason to fetch again', () => {
  const state = run(TEXT, isCold);
  for (let time = 0; time < 3; time += 1) assert.throws(() => state.exports.by_number(16, 3), WebAssembly.RuntimeError);
  assert.equal(state.fetched, 1);
});

test('every function tells its number, and those with a name are marked', () => {
  const { text, marks } = instrument(readForms(TEXT));
  const told = new Set();
  const { exports } = new WebAssembly.Instance(assemble(text), {
    host: { add: (a, b) => a + b },
    [LOADER]: { __wasm_split_hit: (number) => told.add(number) },
  });
  assert.equal(exports.by_name(16), 142);
  assert.deepEqual([...told].sort(), [0, 1, 3, 5]);
  assert.equal(marks[5], '');
  assert.equal(marks[3], mark('$cold'));
  assert.equal(new Set(marks).size, 6);
});

test('names are the same whatever crates are called by the compiler', () => {
  const inner = (crate, place) => `_RNCINvNt${crate}13leptos_router8location19handle_anchor_clickmE0B${place}_`;
  assert.equal(stableName(inner('Cs5z4ltmCjGzn_', '5')), stableName(inner('Cs1_', '5')));
  assert.equal(stableName('_RNvCs1_5crate4main'), 'crate::main');
  assert.equal(stableName('_RINvNtC3std3mem8align_ofdE'), 'std::mem::align_of<d>');
  assert.equal(stableName('_RINvNtC3std3mem8align_ofNtC5other1TEC5other'), 'std::mem::align_of<other::T>');
  assert.equal(stableName('_RINvC5crate3fooRNtB2_1TBe_E'), 'crate::foo<&crate::T,crate::T>', 'what is referred back to');
  assert.notEqual(stableName('_RNCNvC5crate4main0'), stableName('_RNCNvC5crate4mains_0'), 'closures are told apart');
});

test('names of another kind stay as they are', () => {
  for (const name of ['memcpy', '__wbindgen_malloc', '_ZN4core3fmt5write17h0123456789abcdefE', '_R', '_RNvC5cr', '_RB0_', '_RNvB9_3foo']) {
    assert.equal(stableName(name), name);
  }
});
