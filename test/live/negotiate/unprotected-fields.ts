/** Where a token of a Kerberos client has bytes that nothing protects: changing them may go unnoticed and gains nothing. */
import { applicationTag, contextTag, DER_GENERAL_STRING, DER_SEQUENCE, DerReader } from '../../../src/formats/der.ts';
import { decodeInitialToken, decodeNegotiationToken } from '../../../src/formats/spnego.ts';

/** A field and its offsets in the token. */
export interface Field {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/**
 * The fields of SPNEGO (RFC 4178 section 5) and AP-REQ (RFC 4120 sections 5.3, 5.5.1) outside of every checksum, in a
 * NegTokenInit with Kerberos first and without mechListMIC.
 */
export function unprotectedFields(token: Uint8Array): readonly Field[] {
  const fields: Field[] = [];
  const add = (name: string, view: Uint8Array): void => {
    const start = view.byteOffset - token.byteOffset;
    fields.push({ name, start, end: start + view.byteLength });
  };
  const init = decodeNegotiationToken(decodeInitialToken(token).innerToken);
  if (init.type !== 'NegTokenInit' || init.mechToken === undefined) throw new Error('no NegTokenInit with a token');

  const list = new DerReader(init.mechTypesBytes).enter(DER_SEQUENCE, 'mechTypes');
  list.objectIdentifier('first');
  add('mechTypes behind the one that runs', list.rest());

  const frame = decodeInitialToken(init.mechToken);
  const request = new DerReader(frame.innerToken.subarray(2))
    .enter(applicationTag(14), 'AP-REQ')
    .enter(DER_SEQUENCE, 'AP-REQ');
  request.content(contextTag(0), 'pvno');
  request.content(contextTag(1), 'msg-type');
  add('ap-options', request.content(contextTag(2), 'ap-options'));
  const ticket = request
    .enter(contextTag(3), 'ticket')
    .enter(applicationTag(1), 'ticket')
    .enter(DER_SEQUENCE, 'ticket');
  ticket.content(contextTag(0), 'tkt-vno');
  add('realm of the ticket', ticket.enter(contextTag(1), 'realm').content(DER_GENERAL_STRING, 'realm'));
  const name = ticket.enter(contextTag(2), 'sname').enter(DER_SEQUENCE, 'sname');
  add('name-type of sname', name.content(contextTag(0), 'name-type'));
  const strings = name.enter(contextTag(1), 'name-string').enter(DER_SEQUENCE, 'name-string');
  strings.content(DER_GENERAL_STRING, 'HTTP');
  add('host of sname', strings.content(DER_GENERAL_STRING, 'host'));
  const encrypted = ticket.enter(contextTag(3), 'enc-part').enter(DER_SEQUENCE, 'enc-part');
  encrypted.content(contextTag(0), 'etype');
  add('kvno', encrypted.content(contextTag(1), 'kvno'));
  return fields;
}
