/**
 * The imaginary manufacturer Halvorsen Pump Works: what it buys, where it books it and who its people are. All names of
 * businesses and people are made up.
 */

export const COST_CENTRES: readonly [code: string, name: string][] = [
  ['10', 'Dayton plant'],
  ['20', 'Tulsa plant'],
  ['30', 'Sales'],
  ['40', 'Engineering'],
  ['50', 'Logistics'],
  ['60', 'Administration'],
  ['70', 'Field service'],
];

export const PROJECTS: readonly [code: string, name: string][] = [
  ['P-100', 'Line 4 rebuild'],
  ['P-110', 'Impeller redesign'],
  ['P-120', 'ERP clean-up'],
  ['P-130', 'Trade fair'],
  ['P-140', 'Safety programme'],
];

/** Booked against when a cost centre may not use the account any more. */
export const HELD_ACCOUNT = { costCentre: '50', account: '6120' } as const;

export interface Category {
  account: string;
  accountName: string;
  /** Brex's own category. */
  brexCategory: string;
  mcc: string;
  /** Usual amounts in cents. */
  low: number;
  high: number;
  /** What such a business calls itself behind its owner's name. */
  trades: readonly string[];
}

const rows: [string, string, string, string, number, number, string][] = [
  ['6100', 'Office supplies', 'OFFICE_SUPPLIES', '5943', 600, 60_000, 'Office Supply|Stationers|Paper & Print'],
  ['6110', 'Shop consumables', 'GENERAL_MERCHANDISE', '5085', 1_500, 180_000, 'Industrial Supply|Fasteners|Abrasives'],
  ['6120', 'Small tools', 'GENERAL_MERCHANDISE', '5072', 2_000, 150_000, 'Tool & Supply|Hardware|Cutting Tools'],
  [
    '6130',
    'Maintenance',
    'FACILITIES_EXPENSES',
    '1799',
    5_000,
    400_000,
    'Bearing Service|Hydraulics|Electric Motor Repair',
  ],
  ['6140', 'Safety equipment', 'GENERAL_MERCHANDISE', '5099', 1_000, 90_000, 'Safety Products|Workwear'],
  ['6200', 'Air travel', 'AIRLINE_EXPENSES', '4511', 12_000, 160_000, 'Airways|Air Charter'],
  ['6210', 'Lodging', 'LODGING', '7011', 9_000, 120_000, 'Hotel|Inn & Suites|Lodge'],
  ['6220', 'Meals', 'RESTAURANTS', '5812', 700, 40_000, 'Diner|Grill|Coffee Roasters|Kitchen'],
  ['6230', 'Ground travel', 'RIDESHARE_AND_TAXI', '4121', 800, 20_000, 'Car Service|Parking|Car Rental'],
  ['6240', 'Fuel', 'GAS_AND_FUEL', '5541', 2_500, 14_000, 'Fuel Stop|Petroleum'],
  ['6300', 'Software', 'RECURRING_SOFTWARE_AND_SAAS', '5734', 900, 250_000, 'Software|Cloud Services|Data Systems'],
  ['6320', 'Telecom', 'TELEPHONY', '4814', 3_000, 80_000, 'Wireless|Telecom'],
  ['6400', 'Freight', 'SHIPPING', '4215', 1_200, 220_000, 'Freight Lines|Parcel Service|Logistics'],
  ['6500', 'Training', 'TRAINING_AND_EDUCATION', '8299', 4_000, 180_000, 'Training Institute|Seminars'],
  [
    '6600',
    'Professional fees',
    'CONSULTANT_AND_CONTRACTOR',
    '7392',
    20_000,
    450_000,
    'Consulting|Calibration Lab|Engineering Partners',
  ],
];

export const CATEGORIES: readonly Category[] = rows.map(
  ([account, accountName, brexCategory, mcc, low, high, trades]) => ({
    ...{ account, accountName, brexCategory, mcc, low, high },
    trades: trades.split('|'),
  }),
);

// Every owner's name is one word of its own: names that share a word would all look like each other's suppliers.
const FIRST_HALVES =
  'Aber Ash Bram Brad Carring Chester Cran Dun Ells Fair Farns Glen Harrow Holl Iron Kess King Lang Lock Mar North Oak Pem ' +
  'Quin Raven Rose Stan Thorn Vander Wain';
const SECOND_HALVES = 'bury combe dale field gate more ridge stead ton well wick worth';
export const OWNERS: readonly string[] = FIRST_HALVES.split(' ').flatMap((first) =>
  SECOND_HALVES.split(' ').map((second) => first + second),
);

export const LEGAL_FORMS: readonly string[] = ['Inc.', 'LLC', 'Co.', 'Corp.', 'Ltd.'];

/** Trading names that share no word with the legal name behind them. */
export const TRADING_NAMES: readonly string[] = [
  'The Lantern',
  'Blue Heron Cafe',
  'CloudHarbor',
  'Corner Stationery',
  'Quill & Clip',
];

export const PEOPLE: readonly [string, string][] = [
  ['Ana', 'Ruiz'],
  ['Marcus', 'Webb'],
  ['Ingrid', 'Solberg'],
  ['Deshawn', 'Carter'],
  ['Priya', 'Nair'],
  ['Tom', 'Kowalski'],
  ['Lucia', 'Ferraro'],
  ['Henry', 'Osei'],
  ['Mei', 'Tanaka'],
  ['Walt', 'Hendricks'],
  ['Sofia', 'Almeida'],
  ['Grant', 'Whitfield'],
  ['Noor', 'Haddad'],
  ['Erik', 'Lund'],
  ['Carla', 'Dominguez'],
  ['Sam', 'Oyelaran'],
  ['Beth', 'Mercer'],
  ['Jonas', 'Keller'],
];

/** Dollars for one unit of a foreign currency. */
export const FOREIGN_RATES = {
  EUR: 1.08,
  GBP: 1.27,
  JPY: 0.0067,
} as const;
export type ForeignCurrency = keyof typeof FOREIGN_RATES;
