import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningEpicorKinetic } from '../../../src/sandbox/epicor-kinetic/index.js';
import { PlainClient, start } from './epicor-kineticSupport.js';

let kinetic: RunningEpicorKinetic;
let client: PlainClient;
beforeEach(async () => {
  kinetic = await start();
  client = new PlainClient(kinetic);
});
afterEach(() => kinetic.close());

describe('an invoice', () => {
  it('is saved step by step and can be read back', async () => {
    await client.invoice();
    const [document] = kinetic.documents('BRX7F3K2M9Q');
    expect(document).toMatchObject({ supplier: 'AMAZON', debit: '123.45', credit: '123.45', posted: false });
    expect(document?.lines[0]).toMatchObject({ account: '6500', costCentre: '20', debit: '123.45' });
  });
});
