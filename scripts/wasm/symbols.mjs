// Rust's v0 symbol names (RFC 2603) without what differs between two builds of the same source:
// the hashes that tell apart crates of the same name, and the crate in which a generic function
// happened to be compiled.

/**
 * The name of a function, the same in every build of the same source; a name of another kind is
 * left as it is.
 */
export function stableName(symbol) {
  if (!symbol.startsWith('_R')) return symbol;
  const reader = new Reader(symbol.slice(2));
  try {
    return reader.path();
  } catch (error) {
    if (error instanceof NotASymbol) return symbol;
    throw error;
  }
}

class NotASymbol extends Error {}

/** Reads one symbol; each method reads what the RFC's grammar calls by that name. */
class Reader {
  #text;
  #at = 0;
  /** What begins at a place that is referred back to. */
  #known = new Map();

  constructor(text) {
    this.#text = text;
  }

  path() {
    const tag = this.#next();
    switch (tag) {
      case 'C': return (this.#disambiguator(), this.#undisambiguated());
      case 'M': return (this.#implPath(), `<${this.#type()}>`);
      case 'X': return (this.#implPath(), `<${this.#type()} as ${this.path()}>`);
      case 'Y': return `<${this.#type()} as ${this.path()}>`;
      case 'N': return this.#nested();
      case 'I': return `${this.path()}<${this.#list(() => this.#argument())}>`;
      case 'B': return this.#backReference('path', () => this.path());
      default: throw new NotASymbol();
    }
  }

  #nested() {
    const namespace = this.#next();
    const outer = this.path();
    const number = this.#disambiguator();
    const name = this.#undisambiguated();
    // Closures and the like have no name of their own: their number tells them apart.
    return /[A-Z]/.test(namespace) ? `${outer}::{${namespace}${name}#${number}}` : `${outer}::${name}`;
  }

  #implPath() {
    this.#disambiguator();
    this.path();
  }

  #argument() {
    if (this.#takes('L')) return `'${this.#base62()}`;
    return this.#takes('K') ? this.#constant() : this.#type();
  }

  #type() {
    const tag = this.#text[this.#at];
    if (/[a-z]/.test(tag)) return this.#next();
    switch (tag) {
      case 'A': return (this.#next(), `[${this.#type()};${this.#constant()}]`);
      case 'S': return (this.#next(), `[${this.#type()}]`);
      case 'T': return (this.#next(), `(${this.#list(() => this.#type())})`);
      case 'R': return (this.#next(), this.#lifetime(), `&${this.#type()}`);
      case 'Q': return (this.#next(), this.#lifetime(), `&mut ${this.#type()}`);
      case 'P': return (this.#next(), `*const ${this.#type()}`);
      case 'O': return (this.#next(), `*mut ${this.#type()}`);
      case 'F': return (this.#next(), this.#signature());
      case 'D': return (this.#next(), this.#dynamic());
      case 'B': return (this.#next(), this.#backReference('type', () => this.#type()));
      default: return this.path();
    }
  }

  #signature() {
    this.#binder();
    const unsafe = this.#takes('U') ? 'unsafe ' : '';
    const abi = this.#takes('K') ? `extern ${this.#takes('C') ? 'C' : this.#undisambiguated()} ` : '';
    return `${unsafe}${abi}fn(${this.#list(() => this.#type())})->${this.#type()}`;
  }

  #dynamic() {
    this.#binder();
    const traits = this.#list(() => {
      let trait = this.path();
      while (this.#takes('p')) trait += `,${this.#undisambiguated()}=${this.#type()}`;
      return trait;
    });
    if (!this.#takes('L')) throw new NotASymbol();
    this.#base62();
    return `dyn ${traits}`;
  }

  #constant() {
    if (this.#takes('p')) return '_';
    if (this.#takes('B')) return this.#backReference('constant', () => this.#constant());
    const type = this.#next();
    if (!/[a-z]/.test(type)) throw new NotASymbol();
    const end = this.#text.indexOf('_', this.#at);
    if (end < 0) throw new NotASymbol();
    const value = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    return `${value}${type}`;
  }

  #backReference(kind, read) {
    const place = this.#base62();
    const key = `${kind} ${place}`;
    if (!this.#known.has(key)) {
      const back = this.#at;
      if (place >= back) throw new NotASymbol();
      this.#at = place;
      this.#known.set(key, read());
      this.#at = back;
    }
    return this.#known.get(key);
  }

  #list(read) {
    const items = [];
    while (!this.#takes('E')) items.push(read());
    return items.join(',');
  }

  #lifetime() {
    if (this.#takes('L')) this.#base62();
  }

  #binder() {
    if (this.#takes('G')) this.#base62();
  }

  /** 0 where there is none, as the RFC counts. */
  #disambiguator() {
    return this.#takes('s') ? this.#base62() + 1 : 0;
  }

  #undisambiguated() {
    this.#takes('u');
    const digits = /^(?:0|[1-9]\d*)/.exec(this.#text.slice(this.#at, this.#at + 9))?.[0];
    if (digits === undefined) throw new NotASymbol();
    this.#at += digits.length;
    this.#takes('_');
    const name = this.#text.slice(this.#at, this.#at + Number(digits));
    this.#at += Number(digits);
    return name;
  }

  /** Digits, then letters, closed by `_`, which alone is 0. */
  #base62() {
    const end = this.#text.indexOf('_', this.#at);
    if (end < 0) throw new NotASymbol();
    const digits = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    if (digits === '') return 0;
    let value = 0;
    for (const digit of digits) {
      value = value * 62 + '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'.indexOf(digit);
    }
    return value + 1;
  }

  #next() {
    const tag = this.#text[this.#at];
    if (tag === undefined) throw new NotASymbol();
    this.#at += 1;
    return tag;
  }

  #takes(tag) {
    const found = this.#text[this.#at] === tag;
    if (found) this.#at += 1;
    return found;
  }
}
