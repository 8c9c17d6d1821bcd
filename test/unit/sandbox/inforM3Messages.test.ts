// A surprise here means that ION's messaging service is simulated as if it answered for M3: that a message was taken says
// nothing about the invoice in it.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, type PlainM3, StillClock, start } from './inforM3Support.js';

let client: PlainM3;
let clock: StillClock;

beforeEach(async () => {
  clock = new StillClock();
  client = await start({ clock });
});
afterEach(() => client.m3.close());

function send(payload: string, route = 'v3/message/multipart', name = 'Process.SupplierInvoice'): Promise<Answer> {
  const { ionapi } = client.m3.access;
  const parameters = JSON.stringify({ documentName: name, messageId: 'm-1', fromLogicalId: 'lid://infor.gate.gate' });
  const part = (title: string, type: string, content: string) =>
    `--XyZ\r\nContent-Disposition: form-data; name="${title}"\r\nContent-Type: ${type}\r\n\r\n${content}\r\n`;
  const body = `${part('ParameterRequest', 'application/json', parameters)}${part('MessagePayload', 'application/xml', payload)}--XyZ--\r\n`;
  return client.call(
    'POST',
    `${ionapi.iu}/${ionapi.ti}/IONSERVICES/api/ion/messaging/service/${route}`,
    { authorization: `Bearer ${client.token}`, 'content-type': 'multipart/form-data; boundary=XyZ' },
    body,
  );
}

function message(id: string, supplier = 'BREX01', entity = '100_AAA', account = '62510'): string {
  return `<ProcessSupplierInvoice xmlns="http://schema.infor.com/InforOAGIS/2"><DataArea><Process>
    <TenantID>T</TenantID><AccountingEntityID>${entity}</AccountingEntityID></Process><SupplierInvoice>
    <SupplierInvoiceHeader><DocumentID><ID>${id}</ID></DocumentID><SupplierID>${supplier}</SupplierID>
    <DocumentDateTime>2026-11-19T00:00:00Z</DocumentDateTime><CurrencyCode>USD</CurrencyCode>
    <TotalAmount currencyID="USD">12.50</TotalAmount></SupplierInvoiceHeader>
    <SupplierInvoiceLine><Amount>12.50</Amount><GLNominalAccountID>${account}</GLNominalAccountID></SupplierInvoiceLine>
    </SupplierInvoice></DataArea></ProcessSupplierInvoice>`;
}

describe('Process.SupplierInvoice', () => {
  it.each(['v2/multipartMessage', 'v3/message/multipart'])('is taken by %s and acknowledged later', async (route) => {
    expect((await send(message('BRX1'), route)).status).toBe(202);
    expect(client.m3.acknowledgements()).toMatchObject([{ documentId: 'BRX1', messageId: 'm-1', state: 'PENDING' }]);
    expect(client.m3.documents('BRX1')).toEqual([]);
    clock.ms += 250;
    expect(client.m3.acknowledgements()).toMatchObject([{ state: 'ACCEPTED' }]);
    expect(client.m3.documents('BRX1')).toMatchObject([{ posted: true, debit: '12.50', credit: '12.50' }]);
    const year = { DIVI: 'AAA', SPYN: 'BREX01', SUNO: 'BREX01', SINO: 'BRX1', INYR: '2026' };
    expect(await client.ok('APS200MI/GetInvTotInfo', year)).toHaveLength(1);
  });

  it.each([
    ['an unknown supplier', message('BRX1', 'NOBODY')],
    ['another company', message('BRX1', 'BREX01', '999_AAA')],
    ['a blocked account', message('BRX1', 'BREX01', '100_AAA', '62900')],
  ])('with %s is taken all the same and rejected later', async (_what, payload) => {
    expect((await send(payload)).status).toBe(202);
    client.m3.finishBackgroundWork();
    expect(client.m3.acknowledgements()).toMatchObject([{ state: 'REJECTED' }]);
    expect(client.m3.summary().posted).toBe(0);
  });

  it('sent twice is one invoice and one rejection', async () => {
    await send(message('BRX1'));
    await send(message('BRX1'));
    client.m3.finishBackgroundWork();
    expect(client.m3.acknowledgements().map(({ state }) => state)).toEqual(['ACCEPTED', 'REJECTED']);
    expect(client.m3.summary()).toMatchObject({ posted: 1, duplicates: [] });
  });

  it('is refused at once when it is no XML, of another kind, or without a token', async () => {
    expect((await send('<open>')).status).toBe(400);
    expect((await send(message('BRX1'), 'v3/message/multipart', 'Sync.Codes')).status).toBe(400);
    client.token = 'stale';
    expect((await send(message('BRX1'))).status).toBe(401);
    expect(client.m3.acknowledgements()).toEqual([]);
  });
});
