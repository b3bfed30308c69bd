// WebAssembly's text as binaryen writes it: one form after the other, each beginning on a line of
// its own that is indented by one space.

/** A name; one of other letters than the usual stands in quotation marks. */
export const ID = String.raw`\$(?:"(?:[^"\\]|\\.)*"|[^\s()]+)`;
const FUNCTION = new RegExp(String.raw`^\(func (${ID})((?: \((?:param|result)[^()]*\))*)`);
const IMPORTED_FUNCTION = new RegExp(String.raw`^\(import "[^"]*" "[^"]*" \(func (${ID})((?: \((?:param|result)[^()]*\))*)`);
const CALLED = new RegExp(String.raw`\((?:return_call|call|ref\.func) (${ID})`, 'g');
const NAMED = new RegExp(ID, 'g');

/** The module's forms: `{ kind, text }`, functions also with `id`, `params`, `results` and what they `use`. */
export function readForms(text) {
  const forms = [];
  for (const line of text.split('\n')) {
    if (/^ \(/.test(line)) forms.push({ lines: [line.slice(1)] });
    else if (/^ ( |\))/.test(line)) forms.at(-1).lines.push(line);
  }
  return forms.map(({ lines }) => {
    const form = { kind: /^\(([a-z]+)/.exec(lines[0])[1], text: lines.join('\n') };
    const head = { func: FUNCTION, import: IMPORTED_FUNCTION }[form.kind]?.exec(lines[0]);
    if (form.kind === 'func' || form.kind === 'import') {
      if (!head) throw new Error(`not understood: ${lines[0].slice(0, 200)}`);
      Object.assign(form, { id: head[1], params: types(head[2], 'param'), results: types(head[2], 'result') });
    }
    if (form.kind === 'func') form.uses = [...form.text.matchAll(CALLED)].map(([, id]) => id);
    // Without its own name, whatever an export or a row of the table names is a function or the table itself.
    if (form.kind === 'elem' || form.kind === 'export') form.uses = form.text.match(NAMED);
    return form;
  });
}

function types(head, kind) {
  return [...head.matchAll(new RegExp(String.raw`\(${kind} ([^()]*)\)`, 'g'))]
    .flatMap(([, inside]) => inside.trim().split(/\s+/))
    .filter((word) => word !== '' && !word.startsWith('$'));
}

/** A function's name without the mark of an id. */
export const nameOf = (id) => id.replace(/^\$"?|"$/g, '');

/** `(param …) (result …)` of a function. */
export function signature({ params, results }) {
  const list = (kind, types) => (types.length ? ` (${kind} ${types.join(' ')})` : '');
  return list('param', params) + list('result', results);
}

export const moduleOf = (forms) => `(module\n${forms.join('\n')}\n)\n`;
