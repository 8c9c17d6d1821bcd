import { packDay } from './amounts.js';
import { type AccountId, COMPANY, DIVISION, type M3Company } from './company.js';
import { doesNotExist } from './failures.js';
import type { Values } from './fields.js';
import { type MiCall, type Program, transaction, value } from './mi.js';

const ACCOUNT_OUTPUT = `AITP1N AITM10 DIVI3 TX4040l TX1515l AICL8 LCCD1N AT131N VFDT10D VTDT10D AT011N AT021N AT031N AT111N
  AT121N AT051N AT081N AT091N AT101N VTCD2N CUCD3 CCCD1N SLCD1N MQCD1N MTCD1N ACR21N ACR31N ACR41N ACR51N ACR61N ACR71N
  ACRV1N LMDT10D CHNO3N LMTS18N`;

/** CRS630MI, accounts (dimension 1) and the other dimensions (Infor M3: accounts and dimensions). */
export const CRS630MI: Program = {
  name: 'CRS630MI',
  description: 'Accounting identities',
  transactions: [
    transaction({
      name: 'LstAccountID',
      description: 'List accounting identities',
      input: 'AITP!1N DIVI3 AITM10 LNCD2',
      output: `${ACCOUNT_OUTPUT} LX4040l LX1515l`,
      run: listAccounts,
    }),
    transaction({
      name: 'GetAccountID',
      description: 'Get accounting identity',
      input: 'AITP!1N AITM!10 DIVI3',
      output: ACCOUNT_OUTPUT,
      run: (call) => {
        const code = value(call.values, 'AITM');
        const found = isKeptHere(call) ? call.company.dimension(value(call.values, 'AITP'), code) : undefined;
        if (found === undefined) throw doesNotExist('Accounting identity', code, 'AITM', 'WAI0103');
        return [accountRow(call.company, found)];
      },
    }),
    transaction({
      name: 'LstAccountIDACR',
      description: 'List rules of an accounting identity',
      input: 'AITP!1N AITM!10 CHPU10 AITV1N ACRC1N RLIN3N DIVI3',
      output: 'AITP1N AITM10 AITV1N RLIN3N AITF10 AITT10',
      run: listRules,
    }),
  ],
};

/** Blank `DIVI` is the company's own level; what is kept for the other level is not shown. */
function isKeptHere({ values, settings }: MiCall): boolean {
  const division = value(values, 'DIVI');
  return settings.accountsKeptBy === 'COMPANY' ? division === '' : division === DIVISION;
}

function* listAccounts(call: MiCall): Generator<Values> {
  if (!isKeptHere(call)) return;
  const { company, settings, values } = call;
  const first = Number(value(values, 'AITP'));
  const last = settings.accountsRunOn ? 7 : first;
  for (let dimension = first; dimension <= last; dimension += 1) {
    const start = dimension === first ? value(values, 'AITM') : '';
    for (const found of company.values(String(dimension)).from(start)) {
      yield { ...accountRow(company, found), LX40: found.name, LX15: found.name.slice(0, 15) };
    }
  }
}

function accountRow({ settings }: M3Company, found: AccountId): Values {
  const flag = (isSet: boolean): string => (isSet ? '1' : '0');
  const isProfit = found.kind === 'REVENUE' || found.kind === 'EXPENSE';
  return {
    ...{ AITP: found.dimension, AITM: found.code, DIVI: settings.accountsKeptBy === 'COMPANY' ? '' : DIVISION },
    ...{ TX40: found.name.slice(0, 40), TX15: found.name.slice(0, 15), AICL: found.kind ?? '' },
    ...{ LCCD: flag(found.blocked), AT13: flag(found.manualBlocked), AT11: flag(found.isPayables) },
    ...{ VFDT: packDay(found.validFrom ?? ''), VTDT: packDay(found.validTo ?? '') },
    ...{ AT01: flag(found.kind !== null && !isProfit), AT02: flag(isProfit), AT03: '0', AT12: '0', AT05: '0' },
    ...{ AT08: '0', AT09: '0', AT10: '0', VTCD: '0', CUCD: '', CCCD: '0', SLCD: '0', MQCD: '0', MTCD: '0' },
    ...{ ACR2: flag(found.needsCostCentre), ACR3: '0', ACR4: '0', ACR5: '0', ACR6: '0', ACR7: '0', ACRV: '0' },
    LMDT: packDay(new Date(found.changedAtMs).toISOString().slice(0, 10)),
    ...{ CHNO: String(found.changes), LMTS: String(found.changedAtMs) },
  };
}

/** An account that needs a cost centre takes any of them. */
function listRules({ company, values }: MiCall): Values[] {
  const code = value(values, 'AITM');
  const found = company.dimension(value(values, 'AITP'), code);
  if (found === undefined) throw doesNotExist('Accounting identity', code, 'AITM', 'WAI0103');
  const row = { AITP: found.dimension, AITM: code, AITV: '2', RLIN: '1', AITF: '0', AITT: 'ZZZZZZZZZZ' };
  return found.needsCostCentre && ['', '2'].includes(value(values, 'AITV')) ? [row] : [];
}

const DIVISION_OUTPUT = 'CONO3N DIVI3 TX1515l CONM36l LOCD3 TIZO3 CSCD3';

/** MNS100MI, companies and divisions. */
export const MNS100MI: Program = {
  name: 'MNS100MI',
  description: 'Companies and divisions',
  transactions: [
    transaction({
      name: 'LstDivisions',
      description: 'List divisions',
      input: 'CONO!3N DIVI3',
      output: DIVISION_OUTPUT,
      run: (call) => (value(call.values, 'CONO') === COMPANY ? divisionRows(call) : []),
    }),
    transaction({
      name: 'GetBasicData',
      description: 'Get basic data',
      input: 'CONO!3N DIVI3',
      output: DIVISION_OUTPUT,
      run: (call) => {
        const division = value(call.values, 'DIVI') || call.division;
        const row = divisionRows(call).find(({ DIVI }) => DIVI === division);
        if (row === undefined) throw doesNotExist('Division', division, 'DIVI', 'WDI0103');
        return [row];
      },
    }),
  ],
};

/** The company has one division with books and one without, as the user's own division may be another. */
function divisionRows({ company, settings }: MiCall): Values[] {
  const names = [...new Set(['', DIVISION, settings.userDivision])].sort();
  return names.map((division) => ({
    ...{ CONO: COMPANY, DIVI: division, TX15: company.seed.name.slice(0, 15), CONM: company.seed.name.slice(0, 36) },
    ...{ LOCD: company.seed.currency, TIZO: 'UTC', CSCD: 'US' },
  }));
}

/** CRS030MI, VAT codes. */
export const CRS030MI: Program = {
  name: 'CRS030MI',
  description: 'VAT codes',
  transactions: [
    transaction({
      name: 'LstVat',
      description: 'List VAT codes',
      input: 'VTCD2N',
      output: 'VTCD2N TX1515l TX4040l VTP17N',
      run: ({ company, values }) => {
        const from = Number(value(values, 'VTCD') || '0');
        return vatRows(company).filter(({ VTCD }) => Number(VTCD) >= from);
      },
    }),
    transaction({
      name: 'GetBasicData',
      description: 'Get basic data',
      input: 'VTCD!2N',
      output: 'VTCD2N TX1515l TX4040l VTP17N',
      run: ({ company, values }) => {
        const row = vatRows(company).find(({ VTCD }) => Number(VTCD) === Number(value(values, 'VTCD')));
        if (row === undefined) throw doesNotExist('VAT code', value(values, 'VTCD'), 'VTCD', 'WVT0103');
        return [row];
      },
    }),
  ],
};

function vatRows(company: M3Company): { VTCD: string; TX15: string; TX40: string; VTP1: string }[] {
  return company.taxCodes
    .map(({ code, name, percent }) => ({ VTCD: code, TX15: name.slice(0, 15), TX40: name.slice(0, 40), VTP1: percent }))
    .sort((a, b) => Number(a.VTCD) - Number(b.VTCD));
}
