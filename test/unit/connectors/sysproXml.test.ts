import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settingsSchema } from '../../../src/connectors/syspro/config.js';
import { classOf, reportedErrors, textErrorOf, withoutSecrets } from '../../../src/connectors/syspro/failures.js';
import {
  cdata,
  decodeBody,
  documentOf,
  element,
  fieldText,
  ledgerText,
  parseXml,
  textAt,
  unwrap,
} from '../../../src/connectors/syspro/xml.js';

/**
 * The forms in which SYSPRO installations answer. What would be caught: a reply that is cut off or wrapped read as an
 * empty success, an error read as data, a merchant's name that breaks a document.
 */

const read = (text: string) => parseXml(unwrap(text));

describe('reading replies', () => {
  it('a reply with blanks behind the root, single-quoted attributes and padded numbers is read', () => {
    const root = read(
      `<?xml version="1.0" encoding="Windows-1252"?>\n<ApSupplier Language='05' Role="1"><RowsReturned>       1</RowsReturned><Key>000001</Key></ApSupplier>\n `,
    );
    expect(textAt(root, 'RowsReturned')).toBe('1');
    expect(textAt(root, 'Key')).toBe('000001');
  });

  it('element names are found in any case', () => {
    expect(
      textAt(
        read('<SETUPAPSUPPLIER><ITEM><key><Supplier>A1</Supplier></key></ITEM></SETUPAPSUPPLIER>'),
        'item',
        'Key',
        'supplier',
      ),
    ).toBe('A1');
  });

  it('Windows-1252 bytes become the right letters, and UTF-8 is read where it is declared', () => {
    const windows = Buffer.from([0x3c, 0x61, 0x3e, 0x80, 0xe9, 0x3c, 0x2f, 0x61, 0x3e]);
    expect(decodeBody(windows, null)).toBe('<a>€é</a>');
    expect(decodeBody(Buffer.from('<?xml version="1.0" encoding="utf-8"?><a>€é</a>'), null)).toContain('€é');
    expect(decodeBody(Buffer.from('"é"'), 'utf-8')).toBe('"é"');
    expect(decodeBody(Buffer.from('\ufeff<a>é</a>'), null)).toBe('<a>é</a>');
    const quoted = JSON.stringify('<?xml version="1.0" encoding="Windows-1252"?><a>é</a>');
    expect(unwrap(decodeBody(Buffer.from(quoted), null))).toContain('<a>é</a>');
    expect(decodeBody(Buffer.from(quoted, 'latin1'), null)).toContain('<a>é</a>');
  });

  it('a JSON string, a string element and both at once are unwrapped', () => {
    const inner = `<a b='1'>x &amp; y</a>`;
    const wrapped = `<string xmlns="http://schemas.microsoft.com/2003/10/Serialization/">${inner.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</string>`;
    for (const body of [inner, JSON.stringify(`${inner}\r\n `), wrapped, JSON.stringify(wrapped), ` ${wrapped}\n`]) {
      expect(textAt(read(body))).toBe('x & y');
    }
    expect(unwrap('"ERROR: Invalid operator password"')).toBe('ERROR: Invalid operator password');
  });

  it('the wrapper of a PostLD reply is taken off', () => {
    const body =
      '<TransactionPostLDResponse xmlns="http://SYSPROWcfService"><TransactionPostLDResult>&lt;a&gt;1&lt;/a&gt;</TransactionPostLDResult></TransactionPostLDResponse>';
    expect(textAt(read(body))).toBe('1');
  });

  it.each([
    ['nothing', ''],
    ['plain text', 'Service unavailable'],
    ['a web page', '<!DOCTYPE html><html><head><title>x</title></head><body><br>Sign in</body></html>'],
    ['a well-formed web page', '<html><body>Sign in</body></html>'],
    ['a cut-off document', '<postgljournal><Item><Transaction>'],
    ['a document with one closing tag missing', '<a><b>1</a>'],
    ['two roots', '<a/><b/>'],
    ['a document type', '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'],
  ])('%s is unreadable, not empty', (_what, body) => {
    expect(() => read(body)).toThrow(/SYSPRO answered/);
  });
});

describe('errors in replies', () => {
  it('an error inside the offending element is found with its number, value and path', () => {
    const root = read(
      '<setupapsupplier><item><key><supplier>X</supplier></key><branch><Value>99</Value><ErrorNumber>240004</ErrorNumber><ErrorDescription>Branch not found</ErrorDescription></branch></item></setupapsupplier>',
    );
    expect(reportedErrors(root)).toEqual([
      { path: 'item/branch', number: '240004', value: '99', description: 'Branch not found' },
    ]);
  });

  it('an error beside the offending element names that element', () => {
    const root = read(
      '<postgljournal><Item><JournalDetails><LedgerCode>10-6100</LedgerCode><ErrorNumber>1</ErrorNumber><ErrorDescription>Not found</ErrorDescription></JournalDetails></Item></postgljournal>',
    );
    expect(reportedErrors(root)).toEqual([
      { path: 'Item/JournalDetails/LedgerCode', number: '1', value: '10-6100', description: 'Not found' },
    ]);
  });

  it('several errors keep their own numbers, and blank ones do not count', () => {
    const root = read(
      '<a><ErrorMessages><ErrorNumber>1</ErrorNumber><ErrorDescription>One</ErrorDescription><ErrorNumber>2</ErrorNumber><ErrorDescription>Two</ErrorDescription></ErrorMessages><ErrorDescription> </ErrorDescription></a>',
    );
    expect(reportedErrors(root).map((error) => `${error.number} ${error.description}`)).toEqual(['1 One', '2 Two']);
  });

  it('text errors are told from data', () => {
    expect(textErrorOf(' ERROR: e.net exception raised: 100000\r\n')).toBe('ERROR: e.net exception raised: 100000');
    expect(textErrorOf('e.net exception 100000')).not.toBeNull();
    expect(textErrorOf('<a>ERROR</a>')).toBeNull();
    expect(textErrorOf('3EA613166FE4BF47925DF1CEA14E910100')).toBeNull();
  });

  it('the default patterns tell the classes of the vendor reference apart', () => {
    const { errorPatterns } = settingsSchema.parse({});
    const kind = (description: string) => classOf([{ path: '', number: '', value: '', description }], errorPatterns);
    expect(kind("Ledger code '1' not found")).toBe('account');
    expect(kind('Posting period 04 is closed')).toBe('period');
    expect(kind('Journal does not balance')).toBe('balance');
    expect(kind('Invoice already exists')).toBe('duplicate');
    expect(kind('Currency does not exist')).toBeNull();
  });

  it('secrets and addresses are taken out of quoted texts, also where they are percent-encoded', () => {
    const text = withoutSecrets('Bad p@ss at https://h/x?UserId=AB12CD, p%40ss and OperatorPassword=zzz', [
      'p@ss',
      'AB12CD',
    ]);
    expect(text).not.toMatch(/p@ss|p%40ss|AB12CD|zzz/);
  });
});

describe('writing documents', () => {
  it('markup in a memo stays text, and Latin letters become numeric entities', () => {
    expect(element('Comment', `A<b>&"c" é€ ]]>`).markup).toBe(
      '<Comment>A&lt;b&gt;&amp;&quot;c&quot; &#233;&#8364; ]]&gt;</Comment>',
    );
  });

  it('letters outside Windows-1252 become plain ones, and a question mark only where there are none', () => {
    expect(ledgerText('Łódź Škoda Đuro ① Ａ')).toBe('Lódz Škoda Duro 1 A');
    expect(ledgerText('咖啡 bar ☕\u200d')).toBe('?? bar ?');
    expect(ledgerText('e\u0301\u0142 two\r\n\tlines\u0000')).toBe('él two lines');
  });

  it('any text comes back through a document as the ledger text, in ASCII only', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const written = documentOf(element('Root', [element('Comment', text)]));
        expect(written).toMatch(/^[\x20-\x7e]*$/);
        expect(textAt(parseXml(written), 'Comment')).toBe(ledgerText(text));
        expect(fieldText(text, 10).length).toBeLessThanOrEqual(10);
      }),
    );
  });

  it('an end mark inside CDATA is split, so that nothing of the document is lost', () => {
    expect(textAt(parseXml(`<a><b>${cdata('<x>]]></x>]]>')}</b></a>`), 'b')).toBe('<x>]]></x>]]>');
  });
});
