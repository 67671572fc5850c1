/**
 * The contract of src/sspi as a suite of cases, run over every provider with the same expectations. Where a provider
 * answers otherwise, its subject says so per row, with the reason.
 */
import { describe } from 'node:test';
import { contractAcceptor } from './contract-acceptor.ts';
import { bufferCases } from './contract-buffers.ts';
import { contextCases } from './contract-contexts.ts';
import type { ContractSubject } from './contract-subject.ts';
import { tokenCases } from './contract-tokens.ts';

/**
 * Declares all cases over one package.
 *
 * @param open makes the subject when the cases start
 * @param options for describe, such as the readiness of a tier
 */
export function contractSuite(
  name: string,
  open: () => ContractSubject | Promise<ContractSubject>,
  options: { readonly skip?: string | false } = {},
): void {
  describe(`the contract over ${name}`, options, () => {
    const acceptor = contractAcceptor(name, open);
    tokenCases(acceptor);
    contextCases(acceptor);
    bufferCases(acceptor);
  });
}
