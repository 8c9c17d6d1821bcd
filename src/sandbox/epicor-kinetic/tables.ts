import { type TableDef, table } from './rows.js';

/** The columns of this simulator (Epicor REST: tables). A real server has many more; all have these. */

const SEGMENTS = Array.from({ length: 20 }, (_, index) => `SegValue${index + 1}`).join(' ');
const PERIOD = 'i:FiscalYear s:FiscalYearSuffix i:FiscalPeriod s:FiscalCalendarID';

export const VENDOR = table('Vendor', {
  key: 'VendorNum',
  indexed: 'VendorNum VendorID',
  columns: `i:VendorNum s:VendorID Name LegalName Address1 Address2 Address3 City State ZIP Country i:CountryNum b:Inactive
    Approved PayHold s:TermsCode GroupCode CurrencyCode TaxRegionCode i:PMUID s:PurPoint DefaultFOB TaxPayerID b:Print1099
    s:EMailAddress PhoneNum ExternalId`,
});

export const GL_ACCOUNT = table('GLAccount', {
  key: 'COACode GLAccount',
  indexed: 'GLAccount',
  columns: `s:COACode GLAccount AccountDesc ${SEGMENTS} b:Active t:EffFrom EffTo b:MultiCompany s:GLAcctDispGLAcctDisp`,
  joined: 'GLAcctDispGLAcctDisp',
  renamed: 'GLAccount',
});

export const GL_ACCT_DISP = table('GLAcctDisp', {
  key: 'COACode GLAccount',
  indexed: 'GLAccount',
  columns: 's:COACode GLAccount GLAcctDisp AccountDesc b:Active t:EffFrom EffTo b:IsGLAccount IsBalanceAcct',
  renamed: 'GLAcctDisp',
});

export const SEGMENT_VALUE = table('COASegValues', {
  key: 'COACode SegmentNbr SegmentCode',
  indexed: 'SegmentCode',
  columns: `s:COACode i:SegmentNbr s:SegmentCode SegmentName SegmentDesc b:ActiveFlag t:EffectiveFrom EffectiveTo
    s:Category NormalBalance b:Statistical CurrAcct`,
  renamed: '',
});

export const SEGMENT = table('COASegment', {
  key: 'COACode SegmentNbr',
  columns: 's:COACode i:SegmentNbr s:SegmentName i:MinLength MaxLength b:Dynamic i:EntryControl DisplayOrder',
});

export const COA = table('COA', { key: 'COACode', columns: 's:COACode Description SeparatorChar i:NbrSegments' });

export const BOOK = table('GLBook', {
  key: 'BookID',
  columns: 's:BookID Description b:MainBook s:COACode CurrencyCode FiscalCalendarID b:Inactive',
});

export const PERIODS = table('FiscalPer', {
  key: 'FiscalCalendarID FiscalYear FiscalYearSuffix FiscalPeriod',
  columns: `${PERIOD} t:StartDate EndDate`,
});

export const BOOK_PERIODS = table('GLBookPer', {
  key: 'BookID FiscalCalendarID FiscalYear FiscalYearSuffix FiscalPeriod',
  columns: `s:BookID ${PERIOD} t:StartDate EndDate b:ClosedPeriod i:CloseFiscalPeriod`,
});

export const COMPANY = table('Company', {
  key: 'Company',
  columns: 's:Name CurrencyCode',
  renamed: 'Company',
});

export const AP_GROUP = table('APInvGrp', {
  key: 'GroupID',
  columns: `s:GroupID CreatedBy ActiveUserID t:ApplyDate ${PERIOD} s:PostErrorLog DispPostErrorLog b:PostInProcess IsBOE
    d:BaseTotal b:GenLegalNumsEnabled IsDocumentLocked s:LockStatus RvJrnUID`,
});

export const AP_INVOICE = table('APInvHed', {
  key: 'VendorNum InvoiceNum',
  indexed: 'VendorNum InvoiceNum GroupID SysRowID ExternalID',
  columns: `s:InvoiceNum i:VendorNum s:VendorNumVendorID VendorNumName t:InvoiceDate ApplyDate DueDate TaxPoint s:TermsCode
    b:DebitMemo s:CurrencyCode d:ExchangeRate b:LockRate s:RateGrpCode d:DocInvoiceVendorAmt ScrDocInvoiceVendorAmt
    InvoiceVendorAmt DocInvoiceAmt InvoiceAmt DocInvoiceVariance DocInvoiceBal InvoiceBal DocTaxAmt s:Description
    InvoiceComment InvoiceRef ExternalID ExtSysType ExtSysURL GroupID b:Posted OpenPayable InvoiceHeld PayHold s:LockStatus
    b:IsLcked ReadyToCalc s:EntryPerson ChangedBy t:ChangeDate ${PERIOD} s:JournalCode i:JournalNum HeadNum s:LegalNumber
    TranDocTypeID GLControlType GLControlCode i:REFPONum PMUID s:TaxRegionCode b:CorrectionInv CancellationInv s:Plant`,
  joined: 'VendorNumVendorID VendorNumName',
});

export const AP_LINE = table('APInvDtl', {
  key: 'VendorNum InvoiceNum InvoiceLine',
  indexed: 'InvoiceNum',
  columns: `i:VendorNum s:InvoiceNum i:InvoiceLine s:LineType PartNum Description LineComment d:DocUnitCost UnitCost VendorQty
    s:PUM d:OurQty s:IUM CostPerCode d:DocExtCost ExtCost ScrVendorQty ScrUnitCost DocScrUnitCost ScrExtCost ScrDocExtCost
    s:TaxExempt TaxCatID Code1099ID i:PONum POLine s:GLAccount b:UpdateExtCreateLineGL s:VendorNumVendorID ChangedBy
    t:ChangeDate`,
  joined: 'VendorNumVendorID',
});

export const AP_EXPENSE = table('APInvExp', {
  key: 'VendorNum InvoiceNum InvoiceLine InvExpSeq',
  indexed: 'InvoiceNum',
  columns: `i:VendorNum s:InvoiceNum i:InvoiceLine InvExpSeq d:ExpAmt DocExpAmt ScrExpAmt DocScrExpAmt s:BookID COACode
    GLAccount GLAccountDesc ExpDispGLAcct RefType RefCode RefCodeStatus b:MultiCompany s:ExtCompanyID b:NonDedTax s:Plant
    GroupID b:Posted`,
});

export const AP_CODING = table('APInvExpTGLC', {
  key: 'RelatedToFile Key1 Key2 Key3 Key4 Key5 Key6 TGLCTranNum GLAcctContext BookID RecordType',
  indexed: 'InvoiceNum',
  columns: `s:RelatedToFile Key1 Key2 Key3 Key4 Key5 Key6 i:TGLCTranNum s:GLAcctContext BookID COACode GLAccount ${SEGMENTS}
    b:UserCanModify s:SysGLControlType SysGLControlCode ExtCompanyID b:IsExternalCompany s:RecordType i:VendorNum
    s:InvoiceNum i:InvoiceLine InvExpSeq d:DebitAmount CreditAmount b:IsModifiedByUser s:GLAccountGLAcctDisp
    GLAccountAccountDesc`,
  joined: 'GLAccountGLAcctDisp GLAccountAccountDesc',
});

export const AP_TAX = table('APInvTax', {
  key: 'VendorNum InvoiceNum TaxCode',
  indexed: 'InvoiceNum',
  columns: 'i:VendorNum s:InvoiceNum TaxCode d:Percent DocTaxAmt TaxAmt DocTaxableAmt',
});

const JOURNAL_KEY = `s:BookID i:FiscalYear s:FiscalYearSuffix JournalCode i:JournalNum`;

export const GL_GROUP = table('GLJrnGrp', {
  key: 'GroupID',
  columns: `s:GroupID BookMode BookID CurrencyCode RateGrpCode CreatedBy ActiveUserID t:JEDate ${PERIOD} s:FiscalPeriodType
    i:CloseFiscalPeriod s:JournalCode COACode b:Posted HasDetails s:PostErrorLog LockStatus b:IsLcked`,
});

export const GL_HEADER = table('GLJrnHed', {
  key: 'BookID FiscalYear FiscalYearSuffix JournalCode JournalNum FiscalCalendarID',
  indexed: 'GroupID SysRowID',
  columns: `${JOURNAL_KEY} t:JEDate s:GroupID Description CommentText i:FiscalPeriod s:FiscalCalendarID CurrencyCode
    RateGrpCode d:TotDebit TotCredit Balance b:Override AllowUnbalancedEntries Reverse t:ReverseDate s:EnteredBy t:CreateDate
    b:Posted t:PostedDate b:JournalHeld s:LegalNumber TranDocTypeID b:RedStorno s:ExtSysType ExtSysURL`,
});

export const GL_LINE = table('GLJrnDtlMnl', {
  key: 'BookID FiscalYear FiscalYearSuffix JournalCode JournalNum JournalLine FiscalCalendarID',
  indexed: 'GroupID JournalNum',
  columns: `${JOURNAL_KEY} JournalLine i:FiscalPeriod s:FiscalCalendarID t:JEDate s:GLAccount ${SEGMENTS} COACode Description
    CommentText d:TransAmt DocTransAmt TotDebit TotCredit TotCurrDebit TotCurrCredit DebitAmount CreditAmount s:CurrencyCode
    CurrencyCodeAcct b:CurrAcct s:RefType RefCode SourceModule b:Posted InvalidGLAccount s:InvalidGLAccountMessage
    b:Statistical s:StatUOMCode ExtCompanyID GroupID`,
});

/** Posted ledger lines of all modules. */
export const GL_POSTED = table('GLJrnDtl', {
  key: 'BookID FiscalYear FiscalYearSuffix JournalCode JournalNum JournalLine',
  indexed: 'GroupID JournalNum SysRowID',
  columns: `${JOURNAL_KEY} JournalLine i:FiscalPeriod s:FiscalCalendarID t:JEDate s:Description GLAccount COACode
    ${SEGMENTS} d:DebitAmount CreditAmount s:CurrencyCode PostedBy t:PostedDate s:SourceModule GroupID t:CreateDate`,
});

export const POST_PARAMETERS = table('APInvoicePostParam', {
  key: 'GroupID',
  columns: `s:GroupID ACTType AutoAction AgentID i:AgentSchedNum AgentTaskNum s:WorkstationID TaskNote`,
});
export const GL_POST_PARAMETERS = table('GLJrnAsynchParam', {
  key: 'GroupID',
  columns: `s:GroupID BookMode BookModeDisp ACTType AgentID i:AgentSchedNum AgentTaskNum s:WorkstationID TaskNote`,
});

/** Not on the wire: posting deletes a journal's header, and only the sandbox's own views still tell of it. */
export const POSTED_HEADER: TableDef = { ...GL_HEADER, name: 'SandboxPostedJournal' };
