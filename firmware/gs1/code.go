package gs1

// Code is what a linter finds; the names are those of the Barcode Syntax
// Dictionary's linters.
type Code uint8

// What linters find; the exported ones are those that a caller acts on.
const (
	OK Code = iota
	nonDigitCharacter
	invalidSet82Character
	invalidSet39Character
	invalidSet64Character
	invalidSet64Padding
	IncorrectCheckDigit
	tooShortForCheckDigit
	incorrectCheckPair
	tooShortForCheckPair
	tooLongForCheckPairImplementation
	GCPSourceOffline
	tooShortForGCP
	InvalidGCPPrefix
	importerIdxMustBeOneCharacter
	invalidImportIdxCharacter
	illegalZeroValue
	notZero
	illegalZeroPrefix
	notZeroOrOne
	invalidWindingDirection
	notISO3166
	notISO3166Or999
	notISO3166Alpha2
	notISO4217
	ibanTooShort
	ibanTooLong
	invalidIBANCharacter
	illegalIBANCountryCode
	incorrectIBANChecksum
	dateTooShort
	dateTooLong
	hourWithMinuteTooShort
	hourWithMinuteTooLong
	illegalMonth
	illegalDay
	illegalHour
	illegalMinute
	illegalSecond
	hourTooShort
	hourTooLong
	minuteTooShort
	minuteTooLong
	secondTooShort
	secondTooLong
	invalidLengthForPieceOfTotal
	zeroPieceNumber
	zeroTotalPieces
	pieceNumberExceedsTotal
	invalidPercentSequence
	invalidLatitude
	invalidLongitude
	latitudeInvalidLength
	longitudeInvalidLength
	invalidMediaType
	invalidPackageType
	notHyphen
	invalidBiologicalSexCode
	positionInSequenceMalformed
	positionExceedsEnd
	requiresNonDigitCharacter
	couponMissingFormatCode
	couponInvalidFormatCode
	couponMissingFunderVLI
	couponInvalidFunderLength
	couponTruncatedFunder
	couponTruncatedOfferCode
	couponMissingSerialNumberVLI
	couponTruncatedSerialNumber
	couponMissingGCPVLI
	couponInvalidGCPLength
	couponTruncatedGCP
	couponMissingSaveValueVLI
	couponInvalidSaveValueLength
	couponTruncatedSaveValue
	couponMissing1stPurchaseRequirementVLI
	couponInvalid1stPurchaseRequirementLength
	couponTruncated1stPurchaseRequirement
	couponMissing1stPurchaseRequirementCode
	couponInvalid1stPurchaseRequirementCode
	couponTruncated1stPurchaseFamilyCode
	couponMissing2ndPurchaseRequirementVLI
	couponInvalid2ndPurchaseRequirementLength
	couponTruncated2ndPurchaseRequirement
	couponMissing2ndPurchaseRequirementCode
	couponInvalid2ndPurchaseRequirementCode
	couponTruncated2ndPurchaseFamilyCode
	couponMissing2ndPurchaseGCPVLI
	couponInvalid2ndPurchaseGCPLength
	couponTruncated2ndPurchaseGCP
	couponMissing3rdPurchaseRequirementVLI
	couponInvalid3rdPurchaseRequirementLength
	couponTruncated3rdPurchaseRequirement
	couponMissing3rdPurchaseRequirementCode
	couponInvalid3rdPurchaseRequirementCode
	couponTruncated3rdPurchaseFamilyCode
	couponMissing3rdPurchaseGCPVLI
	couponInvalid3rdPurchaseGCPLength
	couponTruncated3rdPurchaseGCP
	couponMissingAdditionalPurchaseRulesCode
	couponInvalidAdditionalPurchaseRulesCode
	couponTooShortForExpirationDate
	couponInvalidExpirationDate
	couponTooShortForStartDate
	couponInvalidStartDate
	couponExpirationBeforeStart
	couponMissingRetailerGCPOrGLNVLI
	couponInvalidRetailerGCPOrGLNLength
	couponTruncatedRetailerGCPOrGLN
	couponMissingSaveValueCode
	couponInvalidSaveValueCode
	couponMissingSaveValueAppliesToItem
	couponInvalidSaveValueAppliesToItem
	couponMissingStoreCouponFlag
	couponMissingDontMultiplyFlag
	couponInvalidDontMultiplyFlag
	couponExcessData
)

// String says it in a sentence.
func (c Code) String() string { return codes[c].text }

// Name is the linters' own name: "INCORRECT_CHECK_DIGIT"; "" for OK.
func (c Code) Name() string { return codes[c].name }

// codes is in the order of the constants.
var codes = [...]struct{ name, text string }{ //nolint:gochecknoglobals // a constant table
	OK:                                        {"", "No issues were detected by the linter."},
	nonDigitCharacter:                         {"NON_DIGIT_CHARACTER", "A non-digit character was found where a digit is expected."},
	invalidSet82Character:                     {"INVALID_CSET82_CHARACTER", "A non-CSET 82 character was found where a CSET 82 character is expected."},
	invalidSet39Character:                     {"INVALID_CSET39_CHARACTER", "A non-CSET 39 character was found where a CSET 39 character is expected."},
	invalidSet64Character:                     {"INVALID_CSET64_CHARACTER", "A non-CSET 64 character was found where a CSET 64 character is expected."},
	invalidSet64Padding:                       {"INVALID_CSET64_PADDING", "Incorrect number of CSET 64 pad characters."},
	IncorrectCheckDigit:                       {"INCORRECT_CHECK_DIGIT", "The numeric check digit is incorrect."},
	tooShortForCheckDigit:                     {"TOO_SHORT_FOR_CHECK_DIGIT", "The component is too short to perform a numeric check digit calculation."},
	incorrectCheckPair:                        {"INCORRECT_CHECK_PAIR", "The alphanumeric check-character pair are incorrect."},
	tooShortForCheckPair:                      {"TOO_SHORT_FOR_CHECK_PAIR", "The component is too short to perform an alphanumeric check character pair calculation."},
	tooLongForCheckPairImplementation:         {"TOO_LONG_FOR_CHECK_PAIR_IMPLEMENTATION", "The component is too long to perform an alphanumeric check character pair calculation."},
	GCPSourceOffline:                          {"GCP_DATASOURCE_OFFLINE", "The data source for GCP lookups is offline."},
	tooShortForGCP:                            {"TOO_SHORT_FOR_GCP", "The component is shorter than the minimum length GS1 Company Prefix."},
	InvalidGCPPrefix:                          {"INVALID_GCP_PREFIX", "The GS1 Company Prefix is invalid."},
	importerIdxMustBeOneCharacter:             {"IMPORTER_IDX_MUST_BE_ONE_CHARACTER", "The Importer Index must be a single character."},
	invalidImportIdxCharacter:                 {"INVALID_IMPORT_IDX_CHARACTER", "The Importer Index is an invalid character."},
	illegalZeroValue:                          {"ILLEGAL_ZERO_VALUE", "A non-zero value is required."},
	notZero:                                   {"NOT_ZERO", "A zero value is required."},
	illegalZeroPrefix:                         {"ILLEGAL_ZERO_PREFIX", "A zero prefix is not permitted."},
	notZeroOrOne:                              {"NOT_ZERO_OR_ONE", `A "0" or "1" is required.`},
	invalidWindingDirection:                   {"INVALID_WINDING_DIRECTION", `The winding direction must be either "0", "1" or "9".`},
	notISO3166:                                {"NOT_ISO3166", "A valid ISO 3166 three-digit country code is required."},
	notISO3166Or999:                           {"NOT_ISO3166_OR_999", `A valid ISO 3166 three-digit country code or "999" is required.`},
	notISO3166Alpha2:                          {"NOT_ISO3166_ALPHA2", "A valid ISO 3166 two-character country code is required."},
	notISO4217:                                {"NOT_ISO4217", "A valid ISO 4217 three-digit currency code is required."},
	ibanTooShort:                              {"IBAN_TOO_SHORT", "The IBAN is too short."},
	ibanTooLong:                               {"IBAN_TOO_LONG", "The IBAN is too long."},
	invalidIBANCharacter:                      {"INVALID_IBAN_CHARACTER", "The IBAN contains an invalid character."},
	illegalIBANCountryCode:                    {"ILLEGAL_IBAN_COUNTRY_CODE", "The IBAN must start with a valid ISO 3166 two-character country code."},
	incorrectIBANChecksum:                     {"INCORRECT_IBAN_CHECKSUM", "The IBAN is invalid since the check characters are incorrect."},
	dateTooShort:                              {"DATE_TOO_SHORT", "The date is too short for YYMMDD format."},
	dateTooLong:                               {"DATE_TOO_LONG", "The date is too long for YYMMDD format."},
	hourWithMinuteTooShort:                    {"HOUR_WITH_MINUTE_TOO_SHORT", "The hour with minute is too short for HHMM format."},
	hourWithMinuteTooLong:                     {"HOUR_WITH_MINUTE_TOO_LONG", "The hour with minute is too long for HHMM format."},
	illegalMonth:                              {"ILLEGAL_MONTH", "The date contains an illegal month of the year."},
	illegalDay:                                {"ILLEGAL_DAY", "The date contains an illegal day of the month."},
	illegalHour:                               {"ILLEGAL_HOUR", "The time contains an illegal hour."},
	illegalMinute:                             {"ILLEGAL_MINUTE", "The time contains an illegal minute."},
	illegalSecond:                             {"ILLEGAL_SECOND", "The time contains an illegal seconds."},
	hourTooShort:                              {"HOUR_TOO_SHORT", "The hour is too short for HH format."},
	hourTooLong:                               {"HOUR_TOO_LONG", "The hour is too long for HH format."},
	minuteTooShort:                            {"MINUTE_TOO_SHORT", "The minute is too short for MM format."},
	minuteTooLong:                             {"MINUTE_TOO_LONG", "The minute is too long for MM format."},
	secondTooShort:                            {"SECOND_TOO_SHORT", "The second is too short for SS format."},
	secondTooLong:                             {"SECOND_TOO_LONG", "The second is too long for SS format."},
	invalidLengthForPieceOfTotal:              {"INVALID_LENGTH_FOR_PIECE_OF_TOTAL", "The piece with total must have an even length, having equal-length components."},
	zeroPieceNumber:                           {"ZERO_PIECE_NUMBER", "The piece number must not have a value of zero."},
	zeroTotalPieces:                           {"ZERO_TOTAL_PIECES", "The piece total must not have a value of zero."},
	pieceNumberExceedsTotal:                   {"PIECE_NUMBER_EXCEEDS_TOTAL", "The piece number must not exceed the piece total."},
	invalidPercentSequence:                    {"INVALID_PERCENT_SEQUENCE", `The input contains an invalid percent hex-encoding "%hh" sequence.`},
	invalidLatitude:                           {"INVALID_LATITUDE", `The latitude is outside of the range "0000000000" to "1800000000".`},
	invalidLongitude:                          {"INVALID_LONGITUDE", `The longitude is outside of the range "0000000000" to "3600000000".`},
	latitudeInvalidLength:                     {"LATITUDE_INVALID_LENGTH", "The latitude value must be 10 digits."},
	longitudeInvalidLength:                    {"LONGITUDE_INVALID_LENGTH", "The longitude value must be 10 digits."},
	invalidMediaType:                          {"INVALID_MEDIA_TYPE", "A valid AIDC media type is required."},
	invalidPackageType:                        {"INVALID_PACKAGE_TYPE", "A valid PackageTypeCode is required."},
	notHyphen:                                 {"NOT_HYPHEN", "Only hyphens are permitted."},
	invalidBiologicalSexCode:                  {"INVALID_BIOLOGICAL_SEX_CODE", "A valid ISO/IEC 5218 biological sex code required."},
	positionInSequenceMalformed:               {"POSITION_IN_SEQUENCE_MALFORMED", `The data must have the format "<pos>/<end>".`},
	positionExceedsEnd:                        {"POSITION_EXCEEDS_END", "The position number must not exceed the end number."},
	requiresNonDigitCharacter:                 {"REQUIRES_NON_DIGIT_CHARACTER", "A non-digit character is required"},
	couponMissingFormatCode:                   {"COUPON_MISSING_FORMAT_CODE", "The coupon's Format Code is missing."},
	couponInvalidFormatCode:                   {"COUPON_INVALID_FORMAT_CODE", `The coupon's Format Code must be "0" or "1".`},
	couponMissingFunderVLI:                    {"COUPON_MISSING_FUNDER_VLI", "The coupon's Funder VLI is missing."},
	couponInvalidFunderLength:                 {"COUPON_INVALID_FUNDER_LENGTH", `The coupon's Funder VLI must be "0" to "6".`},
	couponTruncatedFunder:                     {"COUPON_TRUNCATED_FUNDER", "The coupon's Funder is shorter than what is indicated by its VLI."},
	couponTruncatedOfferCode:                  {"COUPON_TRUNCATED_OFFER_CODE", "The coupon's Offer Code is shorter than the required six digits."},
	couponMissingSerialNumberVLI:              {"COUPON_MISSING_SERIAL_NUMBER_VLI", "The coupon's Serial Number VLI is missing."},
	couponTruncatedSerialNumber:               {"COUPON_TRUNCATED_SERIAL_NUMBER", "The coupon's Serial Number is shorter than what is indicated by its VLI."},
	couponMissingGCPVLI:                       {"COUPON_MISSING_GCP_VLI", "The coupon's primary GS1 Company Prefix VLI is missing."},
	couponInvalidGCPLength:                    {"COUPON_INVALID_GCP_LENGTH", `The coupon's primary GS1 Company Prefix VLI must be "0" to "6".`},
	couponTruncatedGCP:                        {"COUPON_TRUNCATED_GCP", "The coupon's primary GS1 Company Prefix is shorter than what is indicated by its VLI."},
	couponMissingSaveValueVLI:                 {"COUPON_MISSING_SAVE_VALUE_VLI", "The coupon's Save Value VLI is missing."},
	couponInvalidSaveValueLength:              {"COUPON_INVALID_SAVE_VALUE_LENGTH", `The coupon's Save Value VLI must be "1" to "5".`},
	couponTruncatedSaveValue:                  {"COUPON_TRUNCATED_SAVE_VALUE", "The coupon's Save Value is shorter than what is indicated by its VLI."},
	couponMissing1stPurchaseRequirementVLI:    {"COUPON_MISSING_1ST_PURCHASE_REQUIREMENT_VLI", "The coupon's primary purchase Requirement VLI is missing."},
	couponInvalid1stPurchaseRequirementLength: {"COUPON_INVALID_1ST_PURCHASE_REQUIREMENT_LENGTH", `The coupon's primary purchase Requirement VLI must be "1" to "5".`},
	couponTruncated1stPurchaseRequirement:     {"COUPON_TRUNCATED_1ST_PURCHASE_REQUIREMENT", "The coupon's primary purchase Requirement is shorter than what is indicated by its VLI."},
	couponMissing1stPurchaseRequirementCode:   {"COUPON_MISSING_1ST_PURCHASE_REQUIREMENT_CODE", "The coupon's primary purchase Requirement Code is missing."},
	couponInvalid1stPurchaseRequirementCode:   {"COUPON_INVALID_1ST_PURCHASE_REQUIREMENT_CODE", `The coupon's primary purchase Requirement Code must be "0" to "4" or "9".`},
	couponTruncated1stPurchaseFamilyCode:      {"COUPON_TRUNCATED_1ST_PURCHASE_FAMILY_CODE", "The coupon's primary purchase Family Code is shorter than the required three digits."},
	couponMissing2ndPurchaseRequirementVLI:    {"COUPON_MISSING_2ND_PURCHASE_REQUIREMENT_VLI", "The coupon's second purchase Requirement VLI is missing."},
	couponInvalid2ndPurchaseRequirementLength: {"COUPON_INVALID_2ND_PURCHASE_REQUIREMENT_LENGTH", `The coupon's second purchase Requirement VLI must be "1" to "5".`},
	couponTruncated2ndPurchaseRequirement:     {"COUPON_TRUNCATED_2ND_PURCHASE_REQUIREMENT", "The coupon's second purchase Requirement is shorter than what is indicated by its VLI."},
	couponMissing2ndPurchaseRequirementCode:   {"COUPON_MISSING_2ND_PURCHASE_REQUIREMENT_CODE", "The coupon's second purchase Requirement Code is missing."},
	couponInvalid2ndPurchaseRequirementCode:   {"COUPON_INVALID_2ND_PURCHASE_REQUIREMENT_CODE", `The coupon's second purchase Requirement Code must be "0" to "4" or "9".`},
	couponTruncated2ndPurchaseFamilyCode:      {"COUPON_TRUNCATED_2ND_PURCHASE_FAMILY_CODE", "The coupon's second purchase Family Code is shorter than the required three digits."},
	couponMissing2ndPurchaseGCPVLI:            {"COUPON_MISSING_2ND_PURCHASE_GCP_VLI", "The coupon's second purchase GS1 Company Prefix VLI is missing."},
	couponInvalid2ndPurchaseGCPLength:         {"COUPON_INVALID_2ND_PURCHASE_GCP_LENGTH", `The coupon's second purchase GS1 Company Prefix VLI must be "0" to "6" or "9".`},
	couponTruncated2ndPurchaseGCP:             {"COUPON_TRUNCATED_2ND_PURCHASE_GCP", "The coupon's second purchase GS1 Company Prefix is shorter than what is indicated by its VLI."},
	couponMissing3rdPurchaseRequirementVLI:    {"COUPON_MISSING_3RD_PURCHASE_REQUIREMENT_VLI", "The coupon's third purchase Requirement VLI is missing."},
	couponInvalid3rdPurchaseRequirementLength: {"COUPON_INVALID_3RD_PURCHASE_REQUIREMENT_LENGTH", `The coupon's third purchase Requirement VLI must be "1" to "5".`},
	couponTruncated3rdPurchaseRequirement:     {"COUPON_TRUNCATED_3RD_PURCHASE_REQUIREMENT", "The coupon's third purchase Requirement is shorter than what is indicated by its VLI."},
	couponMissing3rdPurchaseRequirementCode:   {"COUPON_MISSING_3RD_PURCHASE_REQUIREMENT_CODE", "The coupon's third purchase Requirement Code is missing."},
	couponInvalid3rdPurchaseRequirementCode:   {"COUPON_INVALID_3RD_PURCHASE_REQUIREMENT_CODE", `The coupon's third purchase Requirement Code must be "0" to "4" or "9".`},
	couponTruncated3rdPurchaseFamilyCode:      {"COUPON_TRUNCATED_3RD_PURCHASE_FAMILY_CODE", "The coupon's third purchase Family Code is shorter than the required three digits."},
	couponMissing3rdPurchaseGCPVLI:            {"COUPON_MISSING_3RD_PURCHASE_GCP_VLI", "The coupon's third purchase GS1 Company Prefix VLI is missing."},
	couponInvalid3rdPurchaseGCPLength:         {"COUPON_INVALID_3RD_PURCHASE_GCP_LENGTH", `The coupon's third purchase GS1 Company Prefix VLI must be "0" to "6" or "9".`},
	couponTruncated3rdPurchaseGCP:             {"COUPON_TRUNCATED_3RD_PURCHASE_GCP", "The coupon's third purchase GS1 Company Prefix is shorter than what is indicated by its VLI."},
	couponMissingAdditionalPurchaseRulesCode:  {"COUPON_MISSING_ADDITIONAL_PURCHASE_RULES_CODE", "The coupon's Additional Purchase Rules Code is missing."},
	couponInvalidAdditionalPurchaseRulesCode:  {"COUPON_INVALID_ADDITIONAL_PURCHASE_RULES_CODE", `The coupon's Additional Purchase Rules Code must be "0" to "3".`},
	couponTooShortForExpirationDate:           {"COUPON_TOO_SHORT_FOR_EXPIRATION_DATE", "The coupon's expiration date is too short for YYMMDD format."},
	couponInvalidExpirationDate:               {"COUPON_INVALID_EXIPIRATION_DATE", "The coupon's expiration date is invalid."},
	couponTooShortForStartDate:                {"COUPON_TOO_SHORT_FOR_START_DATE", "The coupon's start date is too short to YYMMDD format."},
	couponInvalidStartDate:                    {"COUPON_INVALID_START_DATE", "The coupon's start date is invalid."},
	couponExpirationBeforeStart:               {"COUPON_EXPIRATION_BEFORE_START", "The coupon's expiration date precede the start date."},
	couponMissingRetailerGCPOrGLNVLI:          {"COUPON_MISSING_RETAILER_GCP_OR_GLN_VLI", "The coupon's Retailer GCP/GLN VLI is missing."},
	couponInvalidRetailerGCPOrGLNLength:       {"COUPON_INVALID_RETAILER_GCP_OR_GLN_LENGTH", `The coupon's Retailer GCP/GLN VLI must be "1" to "7".`},
	couponTruncatedRetailerGCPOrGLN:           {"COUPON_TRUNCATED_RETAILER_GCP_OR_GLN", "The coupon's Retailer GCP/GLN is shorter than what is indicated by its VLI."},
	couponMissingSaveValueCode:                {"COUPON_MISSING_SAVE_VALUE_CODE", "The coupon's Save Value Code is missing."},
	couponInvalidSaveValueCode:                {"COUPON_INVALID_SAVE_VALUE_CODE", `The coupon's Save Value Code must be "0", "1", "2", "5" or "6".`},
	couponMissingSaveValueAppliesToItem:       {"COUPON_MISSING_SAVE_VALUE_APPLIES_TO_ITEM", "The coupon's Save Value Applies to Item is missing."},
	couponInvalidSaveValueAppliesToItem:       {"COUPON_INVALID_SAVE_VALUE_APPLIES_TO_ITEM", `The coupon's Save Value Applies to Item must be "0" to "2".`},
	couponMissingStoreCouponFlag:              {"COUPON_MISSING_STORE_COUPON_FLAG", "The coupon's Store Coupon Flag is missing."},
	couponMissingDontMultiplyFlag:             {"COUPON_MISSING_DONT_MULTIPLY_FLAG", "The coupon's Don't Multiply Flag is missing."},
	couponInvalidDontMultiplyFlag:             {"COUPON_INVALID_DONT_MULTIPLY_FLAG", `The coupon's Don't Multiply Flag must be "0" or "1".`},
	couponExcessData:                          {"COUPON_EXCESS_DATA", "The coupon contains excess data after the recognised optional fields."},
}
