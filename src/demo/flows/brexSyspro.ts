import { accessTo, type Flow } from '../flow.js';
import {
  dryRun,
  editAfterPosting,
  MONTH_DAYS,
  monthArguments,
  releaseAccount,
  resolveOneVendor,
  sync,
} from '../steps.js';
import { BREX_STREAMS, brexMoney, brexRules, brexSource } from './brex.js';
import { sysproLedger } from './syspro.js';

const PURCHASES = 2_000;

/** A month of card spend, and what happens after a month was posted. */
export const BREX_SYSPRO: Flow = {
  name: 'brex-syspro',
  title: 'Brex → SYSPRO',
  source: brexSource((access) => accessTo(access, 'syspro').companyId, { postedOverlapDays: 7 }),
  ledger: sysproLedger('USD', '{costCentre}-{glAccount}'),
  pipeline: {
    name: 'Card spend',
    streams: BREX_STREAMS,
    ...{ documentType: 'JOURNAL', grouping: 'PER_RECORD', offsetAccount: '00-2150' },
    ...{ unmatchedVendor: 'HOLD', closedPeriod: 'HOLD', correction: 'REVERSE_AND_REPLACE' },
    ...brexMoney({ rounding: '00-6990', taxOwed: '00-2170' }),
  },
  rules: brexRules('00-1450'),
  sandboxArguments: ({ purchases = PURCHASES }) => monthArguments(purchases),
  async run(stage, screen, connected) {
    await dryRun(stage, screen, connected);
    await sync(stage, screen, connected);
    await editAfterPosting(stage, screen, connected);
    await resolveOneVendor(stage, screen, connected);
    await releaseAccount(stage, screen, connected, '50-6120');
    return MONTH_DAYS;
  },
};
