import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LedgerConnection } from '../../../src/connectors/contract.js';
import { connectTo, invoice, journal, queryOf } from './epicorKineticHelpers.js';
import { type ScriptedEpicor, scriptedEpicor } from './epicorKineticServer.js';

let epicor: ScriptedEpicor;
let connection: LedgerConnection;

const connect = (settings: Record<string, unknown> = {}) => {
  connection = connectTo(epicor.url, settings).connection;
  return connection;
};

beforeEach(async () => {
  epicor = await scriptedEpicor();
});
afterEach(async () => {
  await connection.disconnect();
  await epicor.close();
});

describe('invoices', () => {
  it('goes', async () => {
    connect();
    console.log(await connection.submit(invoice()));
    console.log(JSON.stringify([...epicor.invoices.values()], null, 1));
    console.log(await connection.findByReference([queryOf(invoice())]));
    console.log(epicor.calls.map((c) => `${c.verb} ${c.operation}${c.url.search}`).join('\n'), [...epicor.apGroups.values()]);
    console.log(await connection.test());
  });
  it('posts', async () => {
    connect({ autoPost: true });
    console.log(await connection.submit(invoice()));
    console.log(await connection.findByReference([queryOf(invoice())]));
  });
});
describe('journals', () => {
  it('goes', async () => {
    connect();
    console.log(await connection.submit(journal));
    console.log(await connection.findByReference([queryOf(journal)]));
    console.log(epicor.calls.map((c) => `${c.verb} ${c.operation}${c.url.search}`).join('\n'), [...epicor.apGroups.values()]);
  });
  it('posts', async () => {
    connect({ autoPost: true });
    console.log(await connection.submit(journal));
    console.log(await connection.findByReference([queryOf(journal)]));
    console.log(epicor.posted);
  });
});
