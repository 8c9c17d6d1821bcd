import { apGroupService } from './apGroups.js';
import { apInvoiceService, apSearchService } from './apInvoices.js';
import { apPostService } from './apPosting.js';
import { glGroupService } from './glGroups.js';
import { glJournalService, glPostedService, glPostService } from './glJournals.js';
import { masterDataServices } from './masterData.js';
import type { Service } from './service.js';
import { vendorService } from './vendors.js';

/** Every service by its name, which is case-sensitive. */
export const services: ReadonlyMap<string, Service> = new Map(
  [
    ...masterDataServices,
    vendorService,
    apGroupService,
    apInvoiceService,
    apSearchService,
    apPostService,
    glGroupService,
    glJournalService,
    glPostedService,
    glPostService,
  ].map((service) => [service.name, service]),
);
