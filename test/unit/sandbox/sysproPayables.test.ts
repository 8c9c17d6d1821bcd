// A surprise here means that the simulated payables or the generic queries are kinder than SYSPRO: an invoice that fits
// twice, a supplier without its references, or a look-up that finds what the real one would not.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningSyspro } from '../../../src/sandbox/syspro/index.js';
import { BALANCED, elements, invoiceXml, PlainClient, parses, start, texts } from './sysproSupport.js';

let syspro: RunningSyspro;
let client: PlainClient;

beforeEach(async () => {
  syspro = await start();
  client = new PlainClient(syspro);
  await client.logon();
});

afterEach(() => syspro.close());

const parameters = (values: Record<string, string>): string =>
  `<PostApInvoice><Parameters>${elements(values)}</Parameters></PostApInvoice>`;

describe('APSTIN', () => {
  const post = (items: readonly Record<string, string>[], values: Record<string, string> = {}, ...line: string[]) =>
    client.post('APSTIN', parameters(values), invoiceXml(items, ...line));

  it('posts an invoice and makes its ledger journal with the control account credited', async () => {
    const xml = await post([{ JournalNotation: 'Cards' }]);
    expect(parses(xml)).toBe(true);
    expect([texts(xml, 'TrnMonth'), texts(xml, 'Invoice'), texts(xml, 'GlJournal')[0]]).toEqual([
      ['05'],
      ['INV-1'],
      '00001',
    ]);
    expect(texts(xml, 'ItemsProcessed')).toEqual(['000001']);
    expect(syspro.ledger.journals()[0]).toMatchObject({ source: 'AP', debit: '125.50', credit: '125.50' });
    expect(syspro.ledger.balance('00-2000')).toBe('-125.50');
    expect(syspro.ledger.invoice('acme', 'INV-1')).toMatchObject({ value: '125.50' });
  });

  it('refuses the same invoice of the same supplier for ever, and takes it from another', async () => {
    await post([{}]);
    const again = await post([{}]);
    expect([texts(again, 'ItemsInvalid'), texts(again, 'ErrorDescription').length]).toEqual([['000001'], 1]);
    expect(texts(await post([{ Supplier: '1' }]), 'ItemsProcessed')).toEqual(['000001']);
    expect(texts(await post([{ Supplier: '0000001' }]), 'ItemsInvalid')).toEqual(['000001']);
    expect(syspro.ledger.summary().invoices).toBe(2);
  });

  it.each<[string, Record<string, string>]>([
    ['an unknown supplier', { Supplier: 'NOBODY' }],
    ['a supplier on hold', { Supplier: 'STOPPED' }],
    ['a negative value', { TransactionValue: '-125.50' }],
    ['a distribution that does not add up', { TransactionValue: '125.51' }],
    ['no invoice number', { Invoice: '' }],
    ['an invoice number above twenty characters', { Invoice: 'X'.repeat(21) }],
    ['a credit', { TransactionCode: 'C' }],
    ['tax without a tax account', { TaxValue: '5.00' }],
    ['a wrong date', { InvoiceDate: '2026-13-01' }],
  ])('refuses %s', async (_what, item) => {
    const xml = await post([item]);
    expect([texts(xml, 'ItemsInvalid'), texts(xml, 'ItemsProcessed')]).toEqual([['000001'], ['000000']]);
    expect(syspro.ledger.summary()).toMatchObject({ invoices: 0, journals: 0 });
  });

  it('refuses a control account in the distribution by a warning', async () => {
    expect(texts(await post([{}], {}, '00-2000'), 'ItemsInvalid')).toEqual(['000001']);
    expect(texts(await post([{}], { IgnoreWarnings: 'Y' }, '00-2000'), 'ItemsInvalid')).toEqual(['000000']);
  });

  it('posts all or nothing unless it is told to post the valid ones', async () => {
    const items = [{ Invoice: 'A' }, { Invoice: 'B', Supplier: 'NOBODY' }, { Invoice: 'A' }];
    expect(texts(await post(items), 'ItemsProcessed')).toEqual(['000000']);
    const some = await post(items, { ApplyIfEntireDocumentValid: 'N' });
    expect([texts(some, 'ItemsProcessed'), texts(some, 'ItemsInvalid')]).toEqual([['000001'], ['000002']]);
  });

  it('says when the invoices are in but the ledger journal is not', async () => {
    syspro.failNextGlJournals(1);
    const xml = await post([{}]);
    expect(texts(xml, 'ItemsProcessed')).toEqual(['000001']);
    expect(texts(xml, 'GlJournalError')[0]).not.toBe('');
    expect(syspro.ledger.summary()).toMatchObject({ invoices: 1, journals: 0 });
  });

  it('makes no ledger journal where the integration is off, and none on a dry run', async () => {
    syspro.changeSettings({ apIntegration: false });
    expect(await post([{}], { ValidateOnly: 'Y' })).not.toContain('<Key>');
    expect(await post([{}])).not.toContain('<GlJournal>');
    expect(syspro.ledger.summary()).toMatchObject({ invoices: 1, journals: 0 });
  });

  it('posts into the period that its letter means', async () => {
    expect(texts(await post([{}], { PostingPeriod: 'P' }), 'TrnMonth')).toEqual(['04']);
    expect(texts(await post([{ Invoice: 'B' }], { PostingPeriod: '05' }), 'ItemsInvalid')).toEqual(['000001']);
  });
});

describe('suppliers', () => {
  const item = (key: string, values: Record<string, string> = {}): string => {
    const all = { SupplierName: 'New &amp; Co', Branch: '10', TermsCode: '0', Bank: 'FB', Currency: '$', ...values };
    return `<SetupApSupplier><Item><Key><Supplier>${key}</Supplier></Key>${elements(all)}</Item></SetupApSupplier>`;
  };

  it('are added with an answer in lower case', async () => {
    const xml = await client.setup('Add', item('newco'));
    expect([texts(xml, 'supplier'), texts(xml, 'RecordsInvalid')]).toEqual([['NEWCO'], ['000000']]);
    expect(syspro.ledger.supplier('NEWCO')).toMatchObject({ name: 'New & Co', onHold: false });
  });

  it.each<[string, string, Record<string, string>]>([
    ['a key that is there, in another length', '000001', {}],
    ['a key that is there, in small letters', 'acme', {}],
    ['no key', '', {}],
    ['no name', 'X', { SupplierName: '' }],
    ['an unknown branch', 'X', { Branch: '99' }],
    ['unknown terms', 'X', { TermsCode: '9' }],
    ['an unknown bank', 'X', { Bank: 'NO' }],
    ['no currency', 'X', { Currency: '' }],
  ])('are refused with %s', async (_what, key, values) => {
    const xml = await client.setup('Add', item(key, values));
    expect([texts(xml, 'RecordsInvalid'), texts(xml, 'ErrorDescription').length]).toEqual([['000001'], 1]);
    expect(syspro.ledger.summary().suppliers).toBe(3);
  });

  it('are updated and deleted', async () => {
    await client.setup('Update', item('ACME', { OnHold: 'Y' }));
    expect(syspro.ledger.supplier('ACME')).toMatchObject({ onHold: true, name: 'New & Co' });
    await client.setup(
      'Delete',
      '<SetupApSupplier><Item><Key><Supplier>ACME</Supplier></Key></Item></SetupApSupplier>',
    );
    expect(syspro.ledger.supplier('ACME')).toBeUndefined();
    expect(texts(await client.setup('Update', item('ACME')), 'RecordsInvalid')).toEqual(['000001']);
  });

  it('are found by APSQRY in any length of a numeric key, and shown in one', async () => {
    const ask = (code: string): Promise<string> =>
      client.query('APSQRY', `<Query><Key><Supplier>${code}</Supplier></Key></Query>`);
    expect(texts(await ask('000000000000001'), 'Supplier')).toEqual(['0000001']);
    expect(texts(await ask('STOPPED'), 'OnHold')).toEqual(['Y']);
    expect(texts(await ask('NOBODY'), 'ErrorDescription')).toHaveLength(1);
  });

  it('have stored keys of fifteen digits, which COMQKY shortens', async () => {
    const xml = await client.query('COMFND', find('ApSupplier', ['Supplier'], [['', 'Supplier', 'EQ', '0000001']]));
    expect(texts(xml, 'Supplier')).toEqual(['000000000000001']);
    const key = elements({ Function: 'T', KeyType: 'Supplier', FullValue: '000000000000001' });
    expect(texts(await client.query('COMQKY', `<Query><Key>${key}</Key></Query>`), 'EditedValue')).toEqual(['0000001']);
  });
});

type Expression = readonly [
  join: string,
  column: string,
  condition: string,
  value: string,
  open?: string,
  close?: string,
];

function find(table: string, columns: readonly string[], where: readonly Expression[], rest = ''): string {
  const expressions = where.map(([join, column, condition, value, open = '', close = '']) => {
    const joined = join === '' ? {} : { AndOr: join };
    return `<Expression>${elements({ ...joined, OpenBracket: open, Column: column, Condition: condition, Value: value, CloseBracket: close })}</Expression>`;
  });
  const listed = columns.map((column) => `<Column>${column}</Column>`).join('');
  return `<Query><TableName>${table}</TableName><Columns>${listed}</Columns><Where>${expressions.join('')}</Where>${rest}</Query>`;
}

describe('COMFND', () => {
  it('finds journals by several references at once', async () => {
    for (const reference of ['A', 'B', 'C']) await client.journal(BALANCED, { JournalReference: reference });
    const where: Expression[] = [
      ['', 'Reference', 'EQ', 'C'],
      ['Or', 'Reference', 'EQ', 'A'],
      ['Or', 'Reference', 'EQ', 'A'],
      ['Or', 'Reference', 'EQ', 'Z'],
    ];
    const xml = await client.query('COMFND', find('GenJournalCtl', ['Reference', 'GlJournal', 'DebitAmount'], where));
    expect(xml).toContain('<GenJournalCtl ');
    expect(texts(xml, 'Reference').sort()).toEqual(['A', 'C']);
    expect(xml).toContain('<RowsReturned>       2</RowsReturned>');
  });

  it('answers no rows with a count of zero and no error', async () => {
    const xml = await client.query('COMFND', find('GenJournalCtl', ['Reference'], [['', 'Reference', 'EQ', 'NONE']]));
    expect([texts(xml, 'RowsReturned'), texts(xml, 'Row'), texts(xml, 'ErrorDescription')]).toEqual([['0'], [], []]);
  });

  it('lets And bind closer than Or unless brackets say otherwise', async () => {
    const ask = async (where: readonly Expression[]): Promise<string[]> =>
      texts(await client.query('COMFND', find('GenMaster', ['GlCode'], where)), 'GlCode');
    const plain: Expression[] = [
      ['', 'AccountType', 'EQ', 'S'],
      ['Or', 'AccountType', 'EQ', 'E'],
      ['And', 'AccOnHldFlag', 'EQ', 'Y'],
    ];
    expect(await ask(plain)).toEqual(['10-6300', '00-9000']);
    const bracketed: Expression[] = [
      ['', 'AccountType', 'EQ', 'S', '('],
      ['Or', 'AccountType', 'EQ', 'E', '', ')'],
      ['And', 'AccOnHldFlag', 'EQ', 'Y'],
    ];
    expect(await ask(bracketed)).toEqual(['10-6300']);
  });

  it('pages by key with an order and a number of rows', async () => {
    const page = async (after: string): Promise<string[]> => {
      const rest = '<OrderBy><Column>GlCode</Column></OrderBy><ReturnRows>3</ReturnRows>';
      return texts(
        await client.query('COMFND', find('GenMaster', ['GlCode'], [['', 'GlCode', 'GT', after]], rest)),
        'GlCode',
      );
    };
    const first = await page('');
    expect(first).toEqual(['00-2000', '00-2150', '00-9000']);
    expect(await page(first[2] ?? '')).toEqual(['00-9900', '10-6100', '10-6200']);
  });

  it('shows active accounts with a blank or an N', async () => {
    const xml = await client.query('COMFND', find('GenMaster', ['AccOnHldFlag'], [['', 'AccOnHldFlag', 'NE', 'Y']]));
    expect(xml).toContain('<AccOnHldFlag/>');
    syspro.changeSettings({ findRowsMax: 2 });
    expect(texts(await client.query('COMFND', find('GenMaster', ['GlCode'], [])), 'GlCode')).toHaveLength(2);
  });

  it('finds lines of journals, by their reference or their journal, each once', async () => {
    await client.journal(BALANCED);
    const where: Expression[] = [
      ['', 'Reference', 'EQ', 'R1'],
      ['Or', 'Journal', 'EQ', '1'],
    ];
    const xml = await client.query('COMFND', find('GenJournalDetail', ['GlCode', 'EntryValue'], where));
    expect(texts(xml, 'EntryValue')).toEqual(['125.50', '-125.50']);
  });

  it('finds an invoice by supplier and number', async () => {
    await client.post('APSTIN', parameters({}), invoiceXml([{ Supplier: '1', TransactionReference: 'T-1' }]));
    const where: Expression[] = [
      ['', 'Supplier', 'EQ', '0000001'],
      ['And', 'Invoice', 'EQ', 'INV-1'],
    ];
    const xml = await client.query('COMFND', find('ApInvoice', ['Invoice', 'OrigInvValue', 'Reference'], where));
    expect([texts(xml, 'OrigInvValue'), texts(xml, 'Reference')]).toEqual([['125.50'], ['T-1']]);
  });

  it('fills numbers with blanks where the installation does so', async () => {
    await client.journal(BALANCED);
    syspro.changeSettings({ blankPadding: true });
    const xml = await client.query(
      'COMFND',
      find('GenJournalCtl', ['GlPeriod', 'GlJournal'], [['', 'GlJournal', 'EQ', '00001']]),
    );
    expect(xml).toContain('<GlJournal>    1</GlJournal>');
  });

  it('answers a text for what it may not read or cannot understand', async () => {
    syspro.changeSettings({ findJournals: false });
    const bad = [
      find('GenJournalCtl', ['Reference'], []),
      find('AdmOperator', ['Operator'], []),
      find('GenMaster', ['Nothing'], []),
      find('GenMaster', [], []),
      find('GenMaster', ['GlCode'], [['', 'GlCode', '=', 'X']]),
      find('GenMaster', ['GlCode'], [['', 'GlCode', 'EQ', 'X', '(']]),
      find(
        'GenMaster',
        ['GlCode'],
        [
          ['', 'GlCode', 'EQ', 'X'],
          ['', 'GlCode', 'EQ', 'Y'],
        ],
      ),
      '<Query><TableName>GenMaster</TableName><AllColumns>Y</AllColumns><Where>GlCode = 1</Where></Query>',
    ];
    for (const query of bad) expect(await client.query('COMFND', query)).toMatch(/^ERROR/);
  });

  it('compares with LIKE by percent signs', async () => {
    const like = async (pattern: string): Promise<number> =>
      texts(await client.query('COMFND', find('GenMaster', ['GlCode'], [['', 'GlCode', 'LIKE', pattern]])), 'GlCode')
        .length;
    expect([
      await like('10-%'),
      await like('%00'),
      await like('1%6%0'),
      await like('10-6100'),
      await like('10'),
    ]).toEqual([4, 7, 4, 1, 0]);
  });
});

describe('browse, fetch and keys', () => {
  it('COMBRW pages forward with values and their types', async () => {
    const browse = (start: string, condition: string): Promise<string> =>
      client
        .call('Query/Browse', {
          UserId: client.userId,
          XmlIn:
            `<Browse><BrowseName>ApSupplier</BrowseName><StartAtKey>${start}</StartAtKey><StartCondition>${condition}</StartCondition>` +
            '<ReturnRows>2</ReturnRows><BrowseDetails><TableName>ApSupplier</TableName><Title>Suppliers</Title>' +
            '<Column><ColumnName>Supplier</ColumnName></Column></BrowseDetails></Browse>',
        })
        .then((answer) => answer.body);
    const first = await browse('', 'EF');
    expect([texts(first, 'Value'), texts(first, 'NextKey'), texts(first, 'Fwd')]).toEqual([
      ['000000000000001', 'ACME'],
      ['STOPPED'],
      ['True'],
    ]);
    const second = await browse('STOPPED', 'EF');
    expect([texts(second, 'Value'), texts(second, 'Fwd'), texts(second, 'Back')]).toEqual([
      ['STOPPED'],
      ['False'],
      ['True'],
    ]);
    expect(texts(await browse('ACME', 'GR'), 'Value')).toEqual(['STOPPED']);
    expect(texts(await browse('ACME', 'LE'), 'Value')).toEqual(['000000000000001', 'ACME']);
  });

  it('COMFCH reads one row by its key, which must be in the stored form when it says so', async () => {
    const fetch = async (key: string, full: string): Promise<string> => {
      const xmlIn = `<Fetch>${elements({ TableName: 'ApSupplier', Key: key, FullKeyProvided: full })}</Fetch>`;
      return (await client.call('Query/Fetch', { UserId: client.userId, XmlIn: xmlIn })).body;
    };
    expect(texts(await fetch('1', 'N'), 'SupplierName')).toEqual(['Old Supplier']);
    expect(texts(await fetch('000000000000001', 'Y'), 'SupplierName')).toEqual(['Old Supplier']);
    expect(texts(await fetch('NOBODY', 'N'), 'ErrorDescription')).toHaveLength(1);
  });

  it('NextKey and PreviousKey give the neighbours', async () => {
    const neighbour = async (operation: string, key: string): Promise<string[]> => {
      const xmlIn = `<Keys>${elements({ TableName: 'GenMaster', Key: key })}</Keys>`;
      return texts((await client.call(operation, { UserId: client.userId, XmlIn: xmlIn })).body, 'Key');
    };
    expect(await neighbour('NextKey', '10-6100')).toEqual(['10-6200']);
    expect(await neighbour('PreviousKey', '10-6100')).toEqual(['00-9900']);
    expect(await neighbour('NextKey', '10-6400')).toEqual([]);
  });
});
