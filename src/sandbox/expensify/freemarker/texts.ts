/** The escapes of FreeMarker's text built-ins. They differ from those of JSON.stringify in what they add. */

const NAMED: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
  '"': '\\"',
  '\\': '\\\\',
};

/** `?json_string`: what may stand between the quotes of a JSON text. `</` becomes `<\/`, as FreeMarker does. */
export function jsonString(text: string): string {
  return scriptString(text, true);
}

/** `?js_string`: for JavaScript. Its `\'` and `\x1F` are no JSON. */
export function jsString(text: string): string {
  return scriptString(text, false);
}

function scriptString(text: string, isJson: boolean): string {
  return text.replace(/["'\\/<>\p{Cc}\u2028\u2029]/gu, (sign, index: number) => {
    const named = NAMED[sign];
    if (named !== undefined) return named;
    switch (sign) {
      case "'":
        return isJson ? sign : "\\'";
      case '/':
        return index === 0 || text[index - 1] === '<' ? '\\/' : sign;
      case '>': {
        const before = text.slice(Math.max(0, index - 2), index);
        return index === 0 || before === ']]' || before === '--' ? (isJson ? '\\u003E' : '\\>') : sign;
      }
      case '<':
        return index === text.length - 1 || /[!?]/.test(text[index + 1] ?? '') ? (isJson ? '\\u003C' : '\\x3C') : sign;
      default: {
        const code = sign.charCodeAt(0);
        const digits = code.toString(16).toUpperCase();
        return isJson || code > 0xff ? `\\u${digits.padStart(4, '0')}` : `\\x${digits.padStart(2, '0')}`;
      }
    }
  });
}

export function html(text: string): string {
  return markup(text, '&#39;');
}

export function xml(text: string): string {
  return markup(text, '&apos;');
}

function markup(text: string, apostrophe: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": apostrophe,
  };
  return text.replace(/[&<>"']/g, (sign) => names[sign] ?? sign);
}

/** `<#compress>`: runs of blanks become one blank, or one line break where they held one; the ends are trimmed. */
export function compress(text: string): string {
  return text.replace(/\s+/g, (blank) => (/[\r\n]/.test(blank) ? '\n' : ' ')).trim();
}
