/**
 * Places that stand behind a business name in a card descriptor: cities, larger towns and counties of the United
 * Kingdom, quarters of Birmingham and London, and cities that card spend abroad names most. A place says where the
 * sale was, not whose it was; it must never decide alone.
 */

const PLACES = `
  aberdeen; aberystwyth; accrington; acocks green; aldershot; alum rock; altrincham; ashford; aston; aylesbury;
  balsall heath; bangor; banbury; barnet; barnsley; barrow; basildon; basingstoke; bath; bedford; belfast; bexhill;
  bexley; billesley; birkenhead; birmingham; blackburn; blackpool; bloxwich; bolton; bordesley; bordesley green;
  boston; bournemouth; bournville; bracknell; bradford; brent cross; brentford; brentwood; bridgend; bridgwater; brierley hill;
  brighton; bristol; brockley; bromley; bromsgrove; bullring; burnley; burton; burton on trent; bury; bury st edmunds;
  buxton; camberley; cambridge; camden; cannock; canterbury; cardiff; carlisle; castle bromwich; castle vale;
  chatham; cheadle; chelmsford; chelmsley wood; cheltenham; chester; chesterfield; chester le street; chichester;
  chorley; clacton; cleethorpes; colchester; coleshill; corby; coventry; crawley; crewe; croydon; cumbernauld; cwmbran;
  darlington; dartford; daventry; derby; devizes; dewsbury; didcot; digbeth; doncaster; dorchester; dorking; dover;
  droitwich; druids heath; dudley; dumfries; dundee; dunfermline; durham; ealing; eastbourne; eastleigh; edgbaston;
  edgware; edinburgh; enfield; epsom; erdington; evesham; exeter; falkirk; falmouth; fareham; farnborough; farnham;
  felixstowe; five ways; fiveways; folkestone; gateshead; gatwick; glasgow; gloucester; grantham; gravelly hill;
  gravesend; grays; great barr; great yarmouth; greenock; greenwich; grimsby; guildford; hackney; halesowen; halifax;
  hall green; hamilton; hammersmith; handsworth; harborne; harlow; harrogate; harrow; hartlepool; hastings; hatfield;
  havant; haverhill; haydock; heathrow; hemel hempstead; hereford; hertford; high wycombe; highgate; hinckley; hockley;
  hodge hill; holborn; hounslow; hove; huddersfield; hull; huntingdon; ilford; inverness; ipswich; islington; jersey;
  keighley; kempston; kendal; kensington; kettering; kidderminster; kilmarnock; kings cross; kings heath;
  kings lynn; kings norton; kingstanding; kingston; kirkcaldy; knowle; knutsford; kings hill; ladywood; lancaster;
  leamington; leamington spa; leeds; leicester; leigh; lewes; lewisham; lichfield; lincoln; lisburn; liverpool;
  livingston; llandudno; llanelli; london; longbridge; loughborough; lowestoft; lozells; luton; macclesfield;
  maidenhead; maidstone; manchester; mansfield; margate; merthyr tydfil; merry hill; middlesbrough; milton keynes;
  minworth; morecambe; moseley; motherwell; nechells; neath; newark; newbury; newcastle; newcastle upon tyne; newport;
  newquay; newtown; newton abbot; northampton; northfield; norton canes; norwich; nottingham; nuneaton; oldbury;
  oldham; oscott; oxford; paddington; paisley; peckham; perry barr; perth; peterborough; plymouth; poole; portsmouth;
  preston; quinton; ramsgate; reading; redcar; rednal; redditch; redhill; reigate; rhyl; richmond; rochdale; rochester;
  romford; rotherham; royston; rubery; rugby; rugeley; runcorn; salford; salisbury; saltley; scarborough; scunthorpe;
  selly oak; sevenoaks; shard end; sheffield; sheldon; shenley; shirley; shoreditch; shrewsbury; sittingbourne; skegness; skelmersdale;
  slough; small heath; smethwick; solihull; south shields; southall; southampton; southend; southport; southwark;
  sparkbrook; sparkhill; st albans; st andrews; st austell; st helens; st ives; stafford; staines; star city; stechford;
  stevenage; stirchley; stirling; stockport; stockton; stoke; stoke on trent; stourbridge; stratford; stratford upon avon;
  stratford upon av; streatham; stroud; sunderland; surbiton; sutton; sutton coldfield; swansea; swindon; tamworth;
  taunton; teesside; telford; tewkesbury; tile cross; tilehurst; torquay; torbay; tottenham; trowbridge; truro; tunbridge wells;
  twickenham; tyburn; tyseley; uttoxeter; uxbridge; victoria; wakefield; wallasey; walsall; walthamstow; wandsworth;
  ward end; warley; warrington; warwick; washwood heath; waterloo; watford; wednesbury; wellingborough; wembley; weoley castle; west bromwich;
  west drayton; west heath; westminster; weston super mare; weymouth; whitby; wigan; willenhall; wimbledon; winchester;
  windsor; winson green; wisbech; witton; wood green; woking; wolverhampton; woodgate; worcester; workington; worksop; worthing; wrexham;
  wylde green; wythall; yardley; yardley wood; yeovil; york;
  bedfordshire; berkshire; cheshire; cornwall; cumbria; derbyshire; devon; dorset; essex; gloucestershire; hampshire;
  herefordshire; hertfordshire; kent; lancashire; leicestershire; lincolnshire; merseyside; middlesex; norfolk;
  northamptonshire; northumberland; nottinghamshire; oxfordshire; shropshire; somerset; staffordshire; suffolk; surrey;
  sussex; tyne and wear; warwickshire; west midlands; wiltshire; worcestershire; yorkshire; scotland; wales; england;
  amsterdam; antwerp; athens; atlanta; austin; barcelona; beijing; berlin; bilbao; boston ma; bruges; brussels; budapest; chicago;
  cologne; copenhagen; cork; dallas; denver; dubai; dublin; dusseldorf; florence; frankfurt; geneva; ghent; guangzhou;
  hamburg; helsinki; hong kong; houston; istanbul; krakow; lisbon; lille; lyon; los angeles; luxembourg; madrid; malaga;
  marseille; miami; milan; milano; montreal; munich; naples; new york; nantes; nice; oslo; palo alto; paris; philadelphia;
  phoenix az; porto; portland; prague; reykjavik; riga; rome; rotterdam; san diego; san francisco; san jose; seattle;
  seville; shanghai; shenzhen; singapore; stockholm; strasbourg; sydney; tallinn; tokyo; toronto; turin; valencia;
  vancouver; venice; vienna; vilnius; warsaw; washington; zagreb; zurich
`;

/** Known places as words joined by one blank. */
export const PLACE_PHRASES: ReadonlySet<string> = new Set(
  PLACES.split(';')
    .map((place) => place.trim().replace(/\s+/g, ' '))
    .filter(Boolean),
);

const PLACE_LIST = [...PLACE_PHRASES].sort();

/** Whether `text` (at least four letters) is how a known place begins. */
export function beginsPlace(text: string): boolean {
  if (text.length < 4) return false;
  let low = 0;
  let high = PLACE_LIST.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((PLACE_LIST[middle] ?? '') < text) low = middle + 1;
    else high = middle;
  }
  return (PLACE_LIST[low] ?? '').startsWith(text);
}

/** Known places of one word. */
export const PLACE_WORDS: ReadonlySet<string> = new Set([...PLACE_PHRASES].filter((place) => !place.includes(' ')));

/** A place of one word. */
export function isPlaceWord(token: string): boolean {
  return PLACE_WORDS.has(token);
}

/** Words that only ever follow or lead a place: compass points, streets, parks, motorway junction sides. */
export const PLACE_PARTS: ReadonlySet<string> = new Set(
  `north south east west n s e w nb sb eb wb northbound southbound eastbound westbound road rd street st lane ln way
   avenue ave drive dr close square sq park retail hill green heath cross gate bridge wharf quay mall arcade market
   airport station city centre center town high fort broadway parade plaza village court junction airside landside t1 t2
   t3 t4 t5 terminal intu highcross bullring grandcentral mailbox`
    .split(/\s+/)
    .filter(Boolean),
);

/** The states of US descriptors, as they stand behind city or phone number. */
export const US_STATES: ReadonlySet<string> = new Set(
  `al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok or pa ri
   sc sd tn tx ut vt va wa wv wi wy dc`
    .split(/\s+/)
    .filter(Boolean),
);
