/** A surprising failure here means that a part of a card descriptor is read as another part. */
import { describe, expect, it } from 'vitest';
import { normaliseMerchant, takeApart } from '../../../../src/domain/vendor/index.js';

function businessOf(raw: string): string {
  return takeApart(raw).parts.business;
}

describe('taking a descriptor apart', () => {
  it('finds the business behind a payment service, on the side where it stands', () => {
    expect(takeApart('PAYPAL *ZEBRAFISH').parts).toMatchObject({ aggregator: ['PayPal'], business: 'zebrafish' });
    expect(takeApart('iZ *Wren & Daughter').parts).toMatchObject({
      aggregator: ['iZettle'],
      business: 'wren and daughter',
    });
    expect(takeApart('tall oak diner upay ltd').parts).toMatchObject({
      aggregator: ['Upay'],
      business: 'tall oak diner',
    });
  });

  it('reads a portal that names events as the portal itself', () => {
    expect(businessOf('eb a day of talks about')).toBe('eventbrite');
    expect(businessOf('uber trip 8fq2z help.uber')).toBe('uber');
  });

  it('separates store numbers, legal forms and places from the name', () => {
    const { parts } = takeApart('zarnwick ltd 3381 leeds');
    expect(parts).toMatchObject({ storeNumber: '3381', legalForm: 'ltd' });
    expect(takeApart('zarnwick milton keynes').parts.place).toBe('milton keynes');
  });

  it('separates a store number that is glued to the name', () => {
    expect(takeApart('zarnwick4417').parts).toMatchObject({ business: 'zarnwick', storeNumber: '4417' });
  });

  it('keeps numbers that are part of a name', () => {
    expect(businessOf('k900 rentals')).toBe('k900 rentals');
    expect(businessOf('24 hour locksmith 5512')).toBe('24 hour locksmith');
  });

  it.each([
    ['www.zarnwick-tiles.co.uk', 'zarnwick tiles', 'www.zarnwick-tiles.co.uk'],
    ['https://shop.zarnwick.com/pay', 'zarnwick', 'https://shop.zarnwick.com/pay'],
    ['zarnwick.couk', 'zarnwick', 'zarnwick.couk'],
    ['zarnwicktiles com', 'zarnwicktiles', 'zarnwicktiles com'],
    ['www zarnwick tiles com', 'zarnwick tiles', 'www zarnwick tiles com'],
  ])('reads the name out of the address %s', (raw, business, url) => {
    expect(takeApart(raw).parts).toMatchObject({ business, url });
  });

  it('knows that a field as long as fields get may be cut off', () => {
    expect(takeApart('harrowgate lantern').parts.truncated).toBe(true);
    expect(takeApart('harrowgate').parts.truncated).toBe(false);
  });

  it('recognises petrol stations and outlets inside motorway services', () => {
    expect(takeApart('larkfield f/stn').parts.forecourt).toBe('f/stn');
    expect(takeApart('larkfield n/b coffee').parts.motorway).toBe('n/b');
  });

  it('recognises phone number and state of a US descriptor', () => {
    expect(takeApart('ZARNWICK CLOUD 415-555-0134 CA').parts).toMatchObject({
      phone: '415-555-0134',
      state: 'ca',
      business: 'zarnwick cloud',
    });
  });

  it.each([
    ['1234 5678', 'number'],
    ['invoice 2031-88', 'number'],
    ['manchester', 'place'],
    ['tickets', 'everyday words'],
    ['***', 'empty'],
    ['', 'empty'],
  ])('says that %j names no business', (raw, nameless) => {
    expect(takeApart(raw).parts.nameless).toBe(nameless);
  });
});

describe('the key under which decisions are remembered', () => {
  it('is shared by the branches of a shop and kept apart for houses in different places', () => {
    expect(normaliseMerchant('Zarnwick Stores 1204')).toBe(normaliseMerchant('ZARNWICK  STORES 9981'));
    expect(normaliseMerchant('holiday inn leeds')).not.toBe(normaliseMerchant('holiday inn hull'));
  });

  it('keeps the number where the number is all there is', () => {
    expect(normaliseMerchant('invoice 5501')).not.toBe(normaliseMerchant('invoice 5502'));
    expect(normaliseMerchant('77120094')).toBe('77120094');
  });

  it('is never empty for a text that is not', () => {
    for (const raw of ['*', ' ', '---', '\u0000', '…', '店']) expect(normaliseMerchant(raw)).not.toBe('');
  });
});
