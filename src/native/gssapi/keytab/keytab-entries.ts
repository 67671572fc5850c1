/**
 * Iterates over the entries of a keytab with libkrb5. An entry is native memory; GssapiExtensions reads its members.
 */
import { SspiAuthError } from '../../../foundation/errors.ts';
import type { GssapiLibrary, NativeMemory } from '../call/library.ts';

/** Memory for a krb5_keytab_entry, in bytes. It has 48 bytes with MIT krb5 and 56 with Heimdal. */
const ENTRY_BYTES = 256;
/** Memory for a krb5_kt_cursor, in bytes. It is a pointer with MIT krb5 and a structure of 24 bytes with Heimdal. */
const CURSOR_BYTES = 64;

const KRB5_KT_END = -1765328202;

/** A keytab that libkrb5 has opened. The caller must close it. */
export class OpenKeytab {
  readonly library: GssapiLibrary;
  readonly name: string;
  readonly handle: bigint;

  /**
   * @param name name of the keytab with its type, such as `FILE:/etc/http.keytab` or `MEMORY:name`
   * @throws SspiAuthError `ERR_SSPI_AUTH_STATUS` if libkrb5 does not accept the name
   */
  constructor(library: GssapiLibrary, name: string) {
    const bytes = Buffer.from(`${name}\0`);
    const { slots } = memoryOf(library);
    this.library = library;
    this.name = name;
    this.#check(
      library.krb5.ktResolve(library.krb5Context, library.addressOf(bytes), slots.address),
      'krb5_kt_resolve',
    );
    this.handle = slots.bytes.readBigUInt64LE(0);
  }

  /**
   * Calls `visit` with each entry.
   *
   * @param visit must not keep the entry: it is freed after the call. If it returns true, the iteration ends
   * @throws SspiAuthError `ERR_SSPI_AUTH_STATUS` if libkrb5 cannot read the keytab
   */
  forEach(visit: (entry: NativeMemory) => boolean): void {
    const { krb5, krb5Context } = this.library;
    const { slots, entry } = memoryOf(this.library);
    const cursor = slots.address + 8n;
    this.#check(krb5.ktStartSeqGet(krb5Context, this.handle, cursor), 'krb5_kt_start_seq_get');
    try {
      for (;;) {
        const code = krb5.ktNextEntry(krb5Context, this.handle, entry.address, cursor);
        if (code === KRB5_KT_END) return;
        this.#check(code, 'krb5_kt_next_entry');
        try {
          if (visit(entry)) return;
        } finally {
          krb5.ktFreeEntry(krb5Context, entry.address);
        }
      }
    } finally {
      krb5.ktEndSeqGet(krb5Context, this.handle, cursor);
    }
  }

  /** Adds an entry to a MEMORY keytab. @throws SspiAuthError `ERR_SSPI_AUTH_STATUS` */
  add(entry: NativeMemory): void {
    const { krb5, krb5Context } = this.library;
    this.#check(krb5.ktAddEntry(krb5Context, this.handle, entry.address), 'krb5_kt_add_entry');
  }

  close(): void {
    this.library.krb5.ktClose(this.library.krb5Context, this.handle);
  }

  #check(code: number, name: string): void {
    if (code === 0) return;
    throw new SspiAuthError('ERR_SSPI_AUTH_STATUS', `sspi-auth: keytab ${this.name}: ${name} failed with ${code}`);
  }
}

interface KeytabMemory {
  readonly slots: NativeMemory;
  readonly entry: NativeMemory;
}

const memories = new WeakMap<GssapiLibrary, KeytabMemory>();

function memoryOf(library: GssapiLibrary): KeytabMemory {
  let memory = memories.get(library);
  if (memory === undefined) {
    memory = { slots: library.allocate(8 + CURSOR_BYTES), entry: library.allocate(ENTRY_BYTES) };
    memories.set(library, memory);
  }
  return memory;
}
