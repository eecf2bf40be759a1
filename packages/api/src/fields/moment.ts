/** CEL: whether a text is a moment by RFC 3339. */
export const isMoment = (text: string): string =>
  `(${text}.matches('^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$')` +
  ` && !format.datetime().validate(${text}).hasValue())`;
