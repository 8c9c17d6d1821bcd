import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningSageX3 } from '../../../src/sandbox/sage-x3/index.js';
import { HOTEL, importText, PlainClient, start, type TestEntry, type TestLine } from './sage-x3Support.js';

let x3: RunningSageX3;
let client: PlainClient;

beforeEach(async () => {
  x3 = await start();
  client = new PlainClient(x3);
});

afterEach(() => x3.close());

const clearing = (amount: string): TestLine => ({ account: '45800', amount });

async function refusal(change: Partial<TestEntry>): Promise<string> {
  const answer = await client.import(importText({ ...HOTEL, ...change }));
  expect(x3.documents()).toEqual([]);
  return answer.messages.join('\n');
}

describe('a journal is refused', () => {
  it('when it does not balance', async () => {
    expect(await refusal({ lines: [{ account: '60640', amount: '10.00' }, clearing('-10.01')] })).toContain(
      'Unbalanced',
    );
  });

  it('in a closed period and where no period is', async () => {
    expect(await refusal({ date: '2026-10-31' })).toContain('closed');
    expect(await refusal({ date: '2027-01-01' })).toContain('No fiscal year');
  });

  it('for an account that the chart does not have, or that is inactive', async () => {
    expect(await refusal({ lines: [{ account: '1', amount: '1' }, clearing('-1')] })).toContain('Chart USA, account 1');
    expect(await refusal({ lines: [{ account: '62999', amount: '1' }, clearing('-1')] })).toContain('inactive');
  });

  it('for a control account without a partner, and not with one', async () => {
    expect(await refusal({ lines: [{ account: '40100', amount: '1' }, clearing('-1')] })).toContain('BP is mandatory');
    const lines = [{ account: '40100', amount: '1', partner: 'AE003' }, clearing('-1')];
    await client.import(importText({ ...HOTEL, lines }));
    expect(x3.documents()).toHaveLength(1);
  });

  it('for a partner that is inactive or unknown', async () => {
    const withPartner = (partner: string) =>
      refusal({ lines: [{ account: '40100', amount: '1', partner }, clearing('-1')] });
    expect(await withPartner('AE007')).toContain('inactive');
    expect(await withPartner('NOBODY')).toContain('does not exist');
  });

  it('without a dimension that the account demands', async () => {
    expect(await refusal({ lines: [{ account: '62510', amount: '1' }, clearing('-1')] })).toContain(
      'at least one dimension required',
    );
  });

  it('with a dimension that is unknown, inactive, not postable or of no type', async () => {
    const withSplit = (type: string, code: string) =>
      refusal({ lines: [{ account: '60640', amount: '1', split: [[type, code, '1']] }, clearing('-1')] });
    expect(await withSplit('CCT', 'NONE')).toContain('does not exist');
    expect(await withSplit('CCT', 'OLD')).toContain('inactive');
    expect(await withSplit('PJT', 'PTOTAL')).toContain('not chargeable');
    expect(await withSplit('ABC', 'SALES')).toContain('Dimension type ABC');
    x3.changeSettings({ forbidden: [{ account: '60640', type: 'CCT', code: 'SALES' }] });
    expect(await withSplit('CCT', 'SALES')).toContain('prohibited');
  });

  it('when the analytical rows do not add up to the line', async () => {
    const split: TestLine['split'] = [['CCT', 'SALES', '0.99']];
    expect(await refusal({ lines: [{ account: '60640', amount: '1', split }, clearing('-1')] })).toContain(
      'distribution unbalanced',
    );
  });

  // Two types of one analytical line share its number; under two numbers the amount would count twice.
  it('when two dimension types stand in two analytical lines with the whole amount each', async () => {
    const split = (second: string): TestLine['split'] => [
      ['CCT', 'SALES', '1', '1'],
      ['PJT', 'P100', '1', second],
    ];
    expect(await refusal({ lines: [{ account: '60640', amount: '1', split: split('2') }, clearing('-1')] })).toContain(
      'distribution unbalanced',
    );
    await client.import(
      importText({ ...HOTEL, lines: [{ account: '60640', amount: '1', split: split('1') }, clearing('-1')] }),
    );
    expect(x3.documents()).toMatchObject([{ lines: [{ costCentre: 'SALES', dimensions: { PJT: 'P100' } }, {}] }]);
  });

  it('with more decimals than its currency has, or in a currency that is not set up', async () => {
    const lines = (amount: string) => [{ account: '60640', amount }, clearing(`-${amount}`)];
    expect(await refusal({ lines: lines('1.001') })).toContain('Amount');
    expect(await refusal({ currency: 'JPY', lines: lines('1.5') })).toContain('Amount');
    expect(await refusal({ currency: 'CHF' })).toContain('Currency CHF');
  });

  it('with a number where numbers are given automatically, and with one that is taken', async () => {
    expect(await refusal({ number: 'MINE' })).toContain('automatic');
    await client.import(importText({ ...HOTEL, type: 'MANUA', number: 'MINE' }));
    const again = await client.import(importText({ ...HOTEL, type: 'MANUA', number: 'MINE' }));
    expect(again.messages.join()).toContain('already exists');
    expect(x3.documents()).toHaveLength(1);
  });

  it('with a text that is too long, where the installation does not cut it', async () => {
    x3.changeSettings({ longText: 'REFUSE' });
    expect(await refusal({ reference: 'BRX-0123456789ABCDEFGHIJKLMNOP' })).toContain('too long');
  });

  it('of an unknown type', async () => {
    expect(await refusal({ type: 'ABCDE' })).toContain('Entry type ABCDE');
  });
});

describe('amounts', () => {
  it('in another currency are converted exactly', async () => {
    const lines = [{ account: '60640', amount: '10.03' }, clearing('-10.03')];
    await client.import(importText({ reference: 'EURO', currency: 'EUR', lines }));
    const number = x3.documents('EURO')[0]?.number.split('~')[1];
    const { $resources } = await client.query('GACCENTRYD', { where: `NUM eq '${number}' and LEDTYP eq 1` });
    expect($resources).toMatchObject([{ AMTCUR: 10.03, AMTLED: 11.08 }, { AMTLED: 11.08 }]);
  });
});

describe('many journals', () => {
  it('are found by reference without walking through all of them', async () => {
    const lines = [{ account: '60640', amount: '1.00' }, clearing('-1.00')];
    for (let batch = 0; batch < 20; batch += 1) {
      const texts = Array.from({ length: 1000 }, (_unused, index) =>
        importText({ reference: `R${batch}-${index}`, lines }, false),
      );
      await client.import([...texts, 'END'].join('|'));
    }
    expect(x3.summary()).toMatchObject({ journals: 20_000, duplicates: [], unbalanced: 0 });
    const found = await client.query('GACCENTRY', { where: "REFINT eq 'R7-77'" });
    expect(found.$resources).toHaveLength(1);
    const none = await client.query('GACCENTRY', { where: "FCY eq 'NA011' and REFINT eq 'NONE'" });
    expect(none.$resources).toEqual([]);
  });
});
