
// --- What comes later ------------------------------------------------------------------------------

const LATE = new URL("./late.wasm", import.meta.url);
const HYDRATED = "data-hydrated";
const page = document.documentElement;

/** What the late file takes from the first one. */
function first() {
    return { first: initSync(undefined, undefined) };
}
const fetchLate = makeLoad(() => {
    const src = fetch(LATE);
    return async () => {
        await WebAssembly.instantiateStreaming(src, first());
        arrived();
    };
}, []);

/**
 * Called by the first file where it needs the late one at once, and it has not come yet. Chromium can
 * since version 115: before, 4 KiB was the most that could be compiled while the page waits.
 */
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
        page.removeAttribute(HYDRATED);
        wentWithout = true;
        throw error;
    }
    arrived();
}
let wentWithout = false;

// From hydration until the late file is there, the program hears nothing of what a reader does, or it
// would stand still and wait for the file. The page acts as it does without a program; what it has no way of its own for is done when
// the file has come.
const KINDS = ["click", "keydown", "input", "change", "submit", "focus", "focusin", "blur", "focusout"];
const OWN_WAY = {
    click: "a[href], button:not([type=button]), input, label, select, summary, textarea",
    keydown: "input, select, textarea",
    submit: "form",
};
const held = [];
let isHydrated = false;
function hold(event) {
    if (!isHydrated || !(event.target instanceof Element)) return;
    event.stopImmediatePropagation();
    if (OWN_WAY[event.type] && event.target.closest(OWN_WAY[event.type])) return;
    held.push([event.target, new event.constructor(event.type, event)]);
}
function stopHolding() {
    for (const kind of KINDS) window.removeEventListener(kind, hold, true);
}
function arrived() {
    stopHolding();
    if (wentWithout) page.setAttribute(HYDRATED, "true");
    wentWithout = false;
    // Not in the midst of the call that fetched the file, which may hold what the program would take.
    queueMicrotask(() => {
        for (const [target, event] of held.splice(0)) target.dispatchEvent(event);
    });
}
for (const kind of KINDS) window.addEventListener(kind, hold, true);
new MutationObserver((_, observer) => {
    observer.disconnect();
    isHydrated = true;
    fetchLate().catch(() => {
        stopHolding();
        held.length = 0;
    });
}).observe(page, { attributeFilter: [HYDRATED] });
