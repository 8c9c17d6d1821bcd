/**
 * What words of business names are worth. General knowledge about company names in the United Kingdom, the United
 * States and Europe; nothing here names a customer's supplier.
 */

const wordSet = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/).filter(Boolean));

/** Legal forms as single words, after dots were closed up (`S.p.A.` is `spa`). */
export const LEGAL_FORMS = wordSet(`
  ltd limited plc llp lp llc inc incorporated corp corporation cic cio pty pte pvt gmbh mbh ag kg kgaa ug ohg ev eg
  bv nv vof cv sa sarl srl sas sasu eurl spa snc sl slu sll lda ltda ab hb as asa aps oy oyj ehf hf sro spol doo dd kft
  zrt bvba sprl vzw asbl se uc dac clg unlimited ltee
`);

/** A legal form that lost its end at the edge of the field. */
export const CUT_LEGAL_FORMS = wordSet('l lt li lim limi limit limite pl incorp incorpor corpo corporat');

/** Legal forms of several words, as they stand after tokenising. */
export const LEGAL_PHRASES: readonly (readonly string[])[] = [
  ['s', 'a', 'r', 'l'],
  ['s', 'a', 'rl'],
  ['s', 'ar', 'l'],
  ['s', 'arl'],
  ['sa', 'rl'],
  ['sp', 'z', 'oo'],
  ['sp', 'z', 'o', 'o'],
  ['spolka', 'z', 'oo'],
  ['a', 's'],
  ['sa', 'nv'],
  ['b', 'v'],
  ['n', 'v'],
  ['and', 'co', 'ltd'],
  ['and', 'co', 'limited'],
  ['and', 'co', 'kg'],
  ['and', 'co'],
  ['co', 'ltd'],
  ['co', 'limited'],
  ['gmbh', 'and', 'co', 'kg'],
  ['pty', 'ltd'],
  ['pte', 'ltd'],
  ['pvt', 'ltd'],
  ['s', 'p', 'a'],
  ['s', 'r', 'l'],
  ['s', 'r', 'o'],
  ['d', 'o', 'o'],
];

/** Words a clerk adds or leaves out without meaning another business. */
export const FILLERS = wordSet(`
  the of and for in at by de la le les du des et und van von der di y
  uk gb great britain united kingdom europe european eu emea international intl global worldwide usa us
  group groups holdings holding company co companies stores store shop shops shopping retail retailer retailers online
  direct trading trade services service solutions enterprises branch operations internet website web
  ecommerce ecomm com couk www supermarkets supermarket superstore superstores brands outlet outlets
  payments payment pymts pymt pymnt
  branches superstores
`);

/**
 * Fillers that a descriptor may carry after a name although the supplier record does not: the place or the way of the
 * sale. In a supplier name they can be the business itself (`... Hotels`), so they weigh more there.
 */
export const SALE_WORDS = wordSet(`
  online internet website web shop shopping store stores direct retail home order orders bill payment payments pymt
  pymts pymnt pay payments subscription subscriptions subs membership renewal counter kiosk tickets ticket app mobile
  marketplace mktplace mktp moto mail phone telephone tel ecom ecomm ecommerce comm com cca customer service services
  superstore supermarket smkt mkt market petrol fuel pfs cafe restaurant car park gift card cards prime digital direct
  uk gb london sale sales local express extra metro central main reception site branch outlet group ltd airside
  terminal till upt vt vad gbp eur usd cnp selfservice self machine vending
`);

/** Trades: a word that, standing on one side only, usually means another business. */
export const TRADES = wordSet(`
  accountants accountancy aggregates air airline airlines antiques appliances architects architecture asbestos auto
  autos bakers bakery bank banking bar bathrooms batteries bed bedding beds bistro blinds books bookshop brewery
  builders building buildings butchers cabling cafe camera cameras caravan caravans care carpentry carpet carpets cars
  castings caterers catering chauffeurs childcare cleaners cleaning clothing coaches coaching coatings college
  components computer computers computing conditioning construction consultancy consultants consulting contractors
  controls cosmetics couriers credit dairy decorators demolition dental dentist design designs display displays doors
  drainage drones drycleaners education educational electrical electricals electronics energy engineering engineers
  equipment estates events express fabrics factory farm fasteners fencing filters finance financial fire fitness
  fitters flooring florist florists flowers food foods forwarding foundations freight frozen fruit funeral furniture
  furnishings galleries gallery garage garages garden gardens gas gases gear gifts glass glazing golf grill guitars
  gym hair hairdressing halal hardware haulage health healthcare heating hire homes horticulture hospital hospitality
  hotel hygiene imports industrial insurance interiors interpreting investments ironmongers it jewellers joinery
  kitchen kitchens laboratory landscapes landscaping laundry lawyers legal leisure lettings lifts lighting linen locks
  locksmith locksmiths logistics machinery maintenance manufacturing marine marketing marquees materials meats media
  medical metals mobility mortgage mortgages motor motors mowers museum music newsagents news nurseries nursery nursing
  opticians optical outdoor packaging packing paint painters paints paper partnership parts payroll performing personal
  pest pets petroleum pharmacy phones photo photographers photography physiotherapy pipe pipes pizza plant plants
  plasterers plastering plastics playgrounds plumbers plumbing pottery power precision pressings print printers printing
  property properties protection publications publishers publishing pumps radio recovery recruitment recycling
  refrigeration removal removals rentals repair repairs restaurant restaurants roofing safes safety salon sandwich
  scaffolding school schools scientific seafood security sheet shipping shoes shopfitters signs skip skips software
  solar solicitors sound sports stationers stationery steel steels stockholders storage storage studio studios supplies
  surfacing surgeons surveying surveyors systems takeaway tandoori taxi taxis technologies technology telecom telecoms
  textile textiles theatre tickets tiles timber tool tools tours toys training transport travel tree trophies tyre tyres
  uniforms university utility valeting vehicles vending ventilation vets veterinary video waste water welding windows
  wines wood workwear yachts yoga
`);

/** Trades that a shop runs as a department: behind a chain's name they are still the chain. */
export const DEPARTMENTS = wordSet(`
  bar bakery books cafe cafes care cars clothing coffee cosmetics credit display entertainment electricals events fitness
  flowers food foods garden gardens gas gifts grill hair home homes kitchen leisure motor motors music news opticians
  optical outdoor petroleum pharmacy phones photo photos pizza print printing restaurant restaurants sandwich school
  stationery taxi tickets tours toys travel tyres video wines fuel power electrical plant tool hire business wood
`);

/** What kind of house it is; often left off. */
export const HOUSES = wordSet('hotel restaurant cafe inn pub bar hotels lodge takeaway');

/** Words so common that a name made of them alone proves little. */
export const COMMON_WORDS = wordSet(`
  a all and angel art arms around auto baby back bags bar bargain bargains beach beauty best better big bird black block
  blue board book books box boys bridge bright british bull business buy cafe cake capital car card cards care cash castle
  central centre chair charity chicken chip chips choice christmas church city clean club coffee cold cottage counter
  country craft crafts creative cross crown cup cups customer daily day deal dental design different digital direct
  discount display double dragon dress eagle easy education electric elite enterprise euro event events ever every
  excel express extra eye family fancy farm fast field fire first fish flag flower flowers food for forest fox free
  fresh friends fruit fun game games garden gardens gas gate general get gift gifts global gold golden good grand great
  green grill group hall happy hat head health heart high hill holiday home horse hot hotel house ideal ink inn
  international jewel key keys kids king kings kitchen lady lake land lane learning leisure life light line lion little
  living local locksmiths lodge london look love magic mail main map market maths media medical metal midland midlands
  mill mobile modern moon more motor motors music my national nature new news next night north nature now number oak ocean
  office old one online orange orchard order outdoor oven park parking party pay peak pet pets phone phoenix photo pink
  pizza place plan plastic play plus point pool post power premier press prime print pub pure quality queen queens quick
  rainbow range rapid red refund reservation rest restaurant ring river road rock roof rose royal running safe school
  schools sea secure select self sense shop show sign signs silver simple simply sky smart smile sofa solar solo south southern northern eastern western
  sovereign space speed sport sports spring square st stable star station stock stone storage store storm street studio
  summer sun sunshine super supplies sweet sweets swan table tables taxi tea team tech the theatre ticket tickets tile
  time tool tools top total tower town toy toys trade train travel tree unique united universal valley value view
  village walk warehouse water wave way web well west white wholesale wine wish wood work works world young your zone
  gap eat jet marketplace place stop bean soccer tree war way stone wall room rooms side well point bank yard corner cut link field hut deck dock church restaurant music bike machines christmas hosting advance fee
`);

/** Spellings that stand for a longer word, on either side. */
export const ABBREVIATIONS: Readonly<Record<string, string>> = {
  bham: 'birmingham',
  birm: 'birmingham',
  ncastle: 'newcastle',
  wton: 'wolverhampton',
  svcs: 'services',
  svc: 'services',
  srvs: 'services',
  serv: 'services',
  servs: 'services',
  eng: 'engineering',
  ed: 'education',
  educ: 'education',
  edu: 'education',
  elec: 'electrical',
  mgmt: 'management',
  man: 'management',
  mkt: 'market',
  smkt: 'supermarket',
  ctr: 'centre',
  center: 'centre',
  cntr: 'centre',
  cent: 'centre',
  assoc: 'association',
  soc: 'society',
  natl: 'national',
  intl: 'international',
  int: 'international',
  dept: 'department',
  bros: 'brothers',
  mfg: 'manufacturing',
  tech: 'technology',
  univ: 'university',
  hosp: 'hospital',
  htl: 'hotel',
  rest: 'restaurant',
  restaurants: 'restaurant',
  stn: 'station',
  sta: 'station',
  rd: 'road',
  coop: 'cooperative',
  ins: 'insurance',
  bldg: 'building',
  blding: 'building',
  bldgs: 'buildings',
  supp: 'supplies',
  supps: 'supplies',
  dist: 'distribution',
  grp: 'group',
  hldgs: 'holdings',
  pk: 'park',
  organization: 'organisation',
  org: 'organisation',
  mbc: 'council',
  dc: 'council',
};

/** Every everyday word, as `isEveryday` knows them. */
export const EVERYDAY_WORDS: readonly string[] = [...COMMON_WORDS, ...FILLERS, ...TRADES];

/** Nothing of its own: fillers, trades and everyday words. */
export function isEveryday(token: string): boolean {
  return COMMON_WORDS.has(token) || FILLERS.has(token) || TRADES.has(token);
}
