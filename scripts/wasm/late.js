
// --- What comes later ------------------------------------------------------------------------------

const LATE = new URL("./late.wasm", import.meta.url);
function first() {
    return { first: initSync(undefined, undefined) };
}
const fetchLate = makeLoad(() => {
    const src = fetch(LATE);
    return async () => WebAssembly.instantiateStreaming(src, first());
}, []);
/** Called by the first file where it needs the late one at once, and it has not come yet. */
export function __wasm_split_late() {
    const request = new XMLHttpRequest();
    request.open("GET", LATE, false);
    // The bytes as they are: a request that is waited for may not ask for an ArrayBuffer.
    request.overrideMimeType("text/plain; charset=x-user-defined");
    try {
        request.send();
        if (request.status !== 200) throw new Error(`${LATE}: ${request.status}`);
        const bytes = Uint8Array.from(request.responseText, (character) => character.charCodeAt(0));
        new WebAssembly.Instance(new WebAssembly.Module(bytes), first());
    } catch (error) {
        // The call that waits can't go on. The page says that it reads without its program.
        document.documentElement.removeAttribute("data-hydrated");
        throw error;
    }
}
