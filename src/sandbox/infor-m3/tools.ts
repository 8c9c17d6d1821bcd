import { COMPANY, M3_USER } from './access.js';
import { packDay } from './amounts.js';
import { doesNotExist, notAuthorised } from './failures.js';
import type { Field, Values } from './fields.js';
import { GLS840MI } from './journals.js';
import { GLS200MI } from './ledgerReads.js';
import { CRS030MI, CRS630MI, MNS100MI } from './master.js';
import { Catalogue, type MiCall, type Program, type Transaction, transaction, value } from './mi.js';
import { APS100MI, APS450MI, APS455MI } from './payables.js';
import { APS110MI, APS200MI } from './payablesReads.js';
import type { InforM3Settings } from './settings.js';
import { CRS620MI } from './suppliers.js';

/** What every program answers besides its own (Infor M3: discovery and health). */
const COMMON: readonly Transaction[] = [
  transaction({
    name: 'GetUserInfo',
    description: 'Get user information',
    input: '',
    output: 'ZZUSID10 ZDCONO3N ZDDIVI3 ZDFACI3 ZDLANC2 ZDDTFM3 DSEP1 TIZO3 USFN40l',
    run: ({ settings }) => [
      {
        ...{ ZZUSID: M3_USER, ZDCONO: COMPANY, ZDDIVI: settings.userDivision, ZDFACI: '', ZDLANC: 'GB' },
        ...{ ZDDTFM: 'YMD', DSEP: '.', TIZO: 'UTC', USFN: 'Ledgergate' },
      },
    ],
  }),
  transaction({
    name: 'GetServerTime',
    description: 'Get server time',
    input: '',
    output: 'DATE8D TIME6N LMTS18N',
    run: ({ now }) => {
      const iso = now.toISOString();
      const time = iso.slice(11, 19).replaceAll(':', '');
      return [{ DATE: packDay(iso.slice(0, 10)), TIME: time, LMTS: String(now.getTime()) }];
    },
  }),
  transaction({
    name: 'GetCurrentUser',
    description: 'Get current user',
    input: '',
    output: 'USID10',
    run: () => [{ USID: M3_USER }],
  }),
  transaction({
    name: 'ServerTimeZone',
    description: 'Get server time zone',
    input: '',
    output: 'TIZO3',
    run: () => [{ TIZO: 'UTC' }],
  }),
  transaction({
    name: 'GetMessageText',
    description: 'Get text of a message',
    input: 'MSID!7',
    output: 'MSID7 MSGT80l',
    run: ({ values }) => {
      throw doesNotExist('Message', value(values, 'MSID'), 'MSID', 'WMS0103');
    },
  }),
];

const EXPORTMI: Program = {
  name: 'EXPORTMI',
  description: 'Free query',
  transactions: [
    transaction({
      name: 'Select',
      description: 'Select',
      input: 'QERY!256l SEPC!1 HDRS1',
      output: 'REPL999l',
      run: () => {
        throw notAuthorised('transaction Select');
      },
    }),
  ],
};

/** @returns whether the user may use a program, named with or without `MI`. */
export function mayUse(settings: InforM3Settings, program: string): boolean {
  const plain = (name: string): string => name.toUpperCase().replace(/MI$/, '');
  return settings.deniedPrograms.every((denied) => plain(denied) !== plain(program));
}

const AUTCHKMI: Program = {
  name: 'AUTCHKMI',
  description: 'Check of authority',
  transactions: [
    transaction({
      name: 'ChkAuthority',
      description: 'Check authority',
      input: 'APGM!10 DIVI3 USID10',
      output: 'ALPG1N ALO11N ALO21N ALO31N ALO41N ALO51N',
      run: ({ settings, values }) => {
        const allowed = mayUse(settings, value(values, 'APGM')) ? '1' : '0';
        return [{ ALPG: allowed, ALO1: allowed, ALO2: allowed, ALO3: allowed, ALO4: allowed, ALO5: allowed }];
      },
    }),
  ],
};

/** @returns all programs of one installation, as its release has them. */
export function makeCatalogue(settings: InforM3Settings): Catalogue {
  const repository: Program = {
    name: 'MRS001MI',
    description: 'MI repository',
    transactions: [
      transaction({
        name: 'LstPrograms',
        description: 'List programs',
        input: 'MINM10',
        output: 'MINM10 MIDS40l',
        run: ({ values }) =>
          catalogue
            .programs()
            .map(({ name, description }) => ({ MINM: name, MIDS: description }))
            .filter(({ MINM }) => MINM >= value(values, 'MINM')),
      }),
      transaction({
        name: 'LstTransactions',
        description: 'List transactions',
        input: 'MINM!10 TRNM15l',
        output: 'MINM10 TRNM15l TRDS40l',
        run: ({ values }) => {
          const program = catalogue.program(value(values, 'MINM'));
          const rows = catalogue.transactions(program);
          return rows.map(({ name, description }) => ({ MINM: program.name, TRNM: name, TRDS: description }));
        },
      }),
      transaction({
        name: 'LstFields',
        description: 'List fields',
        input: 'MINM!10 TRNM!15l TRTP!1 FLNM10',
        output: 'MINM10 TRNM15l TRTP1 FLNM10 FLDS40l FRPO5N TOPO5N LENG5N TYPE1 MAND1N',
        run: (call) => fieldRows(call, catalogue).map(({ FLDP: _places, FLDX: _lower, ...row }) => row),
      }),
      transaction({
        name: 'LstAdtFieldInf',
        description: 'List additional field information',
        input: 'MINM!10 TRNM!15l TRTP!1 FLNM10',
        output: 'MINM10 TRNM15l TRTP1 FLNM10 FLDS40l LENG5N TYPE1 MAND1N FLDP1N FLDX1N',
        run: (call) => fieldRows(call, catalogue),
      }),
    ],
  };
  const programs = [CRS620MI, CRS630MI, MNS100MI, CRS030MI, AUTCHKMI, EXPORTMI, repository];
  programs.push(APS450MI, APS455MI, APS200MI, APS110MI, APS100MI, GLS840MI, GLS200MI);
  const catalogue = new Catalogue(programs, COMMON, settings);
  return catalogue;
}

interface FieldRow extends Values {
  FLDP: string;
  FLDX: string;
}

/** Positions count from the end of the transaction's name, which fills the first 15 characters. */
function fieldRows({ values, settings }: MiCall, catalogue: Catalogue): FieldRow[] {
  const [program, name, side] = [value(values, 'MINM'), value(values, 'TRNM'), value(values, 'TRTP')];
  const found = catalogue.transaction(program, name);
  const fields = side === 'O' ? found.output : found.input(settings);
  let position = 16;
  return fields.map((field) => {
    const from = position;
    position += field.length;
    return {
      ...{ MINM: program, TRNM: name, TRTP: side, FLNM: field.name, FLDS: `Field ${field.name}` },
      ...{ FRPO: String(from), TOPO: String(position - 1), LENG: String(field.length), TYPE: shownType(field) },
      ...{ MAND: field.mandatory ? '1' : '0', FLDP: field.length >= 13 && field.type === 'N' ? '2' : '0' },
      FLDX: field.lowerCase ? '1' : '0',
    };
  });
}

/** The repository knows letters and numbers; a date is letters there. */
function shownType({ type }: Field): string {
  return type === 'N' ? 'N' : 'A';
}
