
async function fetchLate() {}
/** The numbers of the functions that were called. */
export function __wasm_split_hit(number) {
    (globalThis.__hits ??= new Set()).add(number);
}
